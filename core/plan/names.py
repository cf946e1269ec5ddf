"""Names in the target: the source's own, except where PostgreSQL cannot have them.

Folded, a name is what PostgreSQL makes of one that is written without quotes: in UTF-8
it lowers A to Z and nothing else, as SQLite does to compare names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from core.schema.names import fold

NAME_BYTES_MAX = 63
SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_ATTEMPTS = 10
NONE_CHOSEN: Mapping[str, str] = {}


class Names:
    """Hands out names of one namespace, each once and none that is ``taken``; ``folds``:
    lowered."""

    def __init__(self, taken: Iterable[str] = (), *, folds: bool = False) -> None:
        self._folds = folds
        self._taken = set(taken)

    def give(self, wanted: str, *, exact: bool = False) -> str:
        """``wanted`` if it can be had; else a name close to it, the same every time.
        ``exact``: a person chose it, so it is not lowered."""
        asked = fold(wanted) if self._folds and not exact else wanted
        name = _possible(asked)
        attempt = 0
        while name in self._taken:
            attempt += 1
            name = _evading(asked, attempt)
        self._taken.add(name)
        return name


def column_names(
    sources: Iterable[str], chosen: Mapping[str, str] = NONE_CHOSEN, *, folds: bool = False
) -> dict[str, str]:
    """Source column names to target names, within one table; ``chosen`` are a person's."""
    names = Names()
    ordered = list(sources)
    asked = {n: chosen.get(n) or (fold(n) if folds else n) for n in ordered}
    # Names that can stay as they are choose first, so that a renamed neighbour
    # never takes the name another column already has; a person's before all.
    plain = [n for n in ordered if _possible(asked[n]) == asked[n] not in SYSTEM_COLUMNS]
    given = {n: names.give(asked[n]) for n in sorted(plain, key=lambda n: n not in chosen)}
    for name in ordered:
        if name not in given:
            wanted = asked[name]
            given[name] = names.give(f"{wanted}_" if wanted in SYSTEM_COLUMNS else wanted)
    return {name: given[name] for name in ordered}


def in_the_way(name: str, target: str, given: Iterable[tuple[str, str]]) -> str:
    """Which other source name has what ``name`` would be when folded, if ``target`` is what
    it got instead; else ''. ``given`` are source names, each with its target name."""
    folded = fold(name)
    if target not in (_evading(folded, attempt) for attempt in range(1, _ATTEMPTS)):
        return ""
    return next((other for other, target in given if target == folded and other != name), "")


def _possible(name: str) -> str:
    if not name:
        return "unnamed"
    return name if len(name.encode()) <= NAME_BYTES_MAX else _shortened(name, name)


def _evading(name: str, attempt: int) -> str:
    return _shortened(name, f"{name}#{attempt}")


def _shortened(name: str, seed: str) -> str:
    suffix = "_" + sha256(seed.encode()).hexdigest()[:8]
    head = name.encode()[: NAME_BYTES_MAX - len(suffix)].decode(errors="ignore")
    return head + suffix
