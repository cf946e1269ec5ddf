"""What will happen, said before anything moves: findings, a grade, an estimate.

It reads the census, the plan and the snapshot, and changes nothing. Every finding is an
entry of one catalogue (:mod:`core.assess.catalogue`); what a person accepted by its id
in the plan no longer counts.
"""

from core.assess.assessing import Evidence, assess
from core.assess.catalogue import CATALOGUE, Entry, Severity
from core.assess.model import Assessment, Estimate, Finding, Grade, Remedy

__all__ = [
    "CATALOGUE",
    "Assessment",
    "Entry",
    "Estimate",
    "Evidence",
    "Finding",
    "Grade",
    "Remedy",
    "Severity",
    "assess",
]
