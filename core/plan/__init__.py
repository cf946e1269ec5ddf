"""Types, names, DDL and fates: what a run will do, decided before it does anything.

Pure: it computes from a schema and a census, and touches neither side.
"""

from core.plan.choices import NO_CHOICES, Acceptance, Choices, ColumnChoice, TableChoice, overlaid
from core.plan.codec import from_json, to_json
from core.plan.document import check_fit, digest, parse_document, read_document, write_document
from core.plan.make import make_plan
from core.plan.model import (
    Build,
    BuildKind,
    ColumnPlan,
    Fate,
    ObjectFate,
    Plan,
    TablePlan,
    ViewColumn,
    ViewPlan,
)

__all__ = [
    "NO_CHOICES",
    "Acceptance",
    "Build",
    "BuildKind",
    "Choices",
    "ColumnChoice",
    "ColumnPlan",
    "Fate",
    "ObjectFate",
    "Plan",
    "TableChoice",
    "TablePlan",
    "ViewColumn",
    "ViewPlan",
    "check_fit",
    "digest",
    "from_json",
    "make_plan",
    "overlaid",
    "parse_document",
    "read_document",
    "to_json",
    "write_document",
]
