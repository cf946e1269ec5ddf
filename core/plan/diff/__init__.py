"""What a target's schema lacks, has too much or has otherwise than its plan says, and the
statements that mend it.

Pure: both sides come as :class:`~core.schema.Database` values that one server printed.
"""

from core.plan.diff.compare import Facts, Numbering, differences
from core.plan.diff.model import (
    SEVERITIES,
    Aspect,
    Difference,
    Kind,
    Severity,
    Why,
    in_order,
    statements,
)

__all__ = [
    "SEVERITIES",
    "Aspect",
    "Difference",
    "Facts",
    "Kind",
    "Numbering",
    "Severity",
    "Why",
    "differences",
    "in_order",
    "statements",
]
