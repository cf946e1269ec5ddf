"""How fast, and how long still, in words."""

from __future__ import annotations

import math

from core.cli.speaking import tell
from core.transfer.forecast import Outlook

_MINUTE, _HOUR = 60.0, 3600.0
# Up to so many seconds a span is told in this unit.
_UNITS = ((1.5 * _MINUTE, 1.0, "seconds"), (1.5 * _HOUR, _MINUTE, "minutes"))


def rate(outlook: Outlook) -> str:
    """Rows per second."""
    return tell("progress.rate", rate=f"{outlook.rows_per_second:,.0f}")


def left(outlook: Outlook) -> str:
    """The time that is left, as a range; '' when nobody can say."""
    if outlook.seconds_min is None or outlook.seconds_max is None:
        return ""
    seconds = outlook.seconds_max
    size, unit = next(((s, u) for most, s, u in _UNITS if seconds <= most), (_HOUR, "hours"))
    least, most = (max(1, math.ceil(s / size)) for s in (outlook.seconds_min, seconds))
    return tell(f"left.{unit}", span=f"{most}" if least == most else f"{least}-{most}")


def spoken(outlook: Outlook) -> str:
    """Both, parted by a comma."""
    return ", ".join(filter(None, (rate(outlook), left(outlook))))
