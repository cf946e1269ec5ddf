"""Names in the target: the source's own, except where PostgreSQL cannot have them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

NAME_BYTES_MAX = 63
SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


class Names:
    """Hands out names of one namespace, each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def give(self, wanted: str) -> str:
        """``wanted`` if it can be had; else a name close to it, the same every time."""
        name = _possible(wanted)
        attempt = 0
        while name in self._taken:
            attempt += 1
            name = _shortened(wanted, f"{wanted}#{attempt}")
        self._taken.add(name)
        return name


def column_names(wanted: Iterable[str]) -> dict[str, str]:
    """Source column names to target names, within one table."""
    names = Names()
    ordered = list(wanted)
    # Names that can stay as they are choose first, so that a renamed neighbour
    # never takes the name another column already has.
    plain = [n for n in ordered if _possible(n) == n and n not in SYSTEM_COLUMNS]
    given = {name: names.give(name) for name in plain}
    for name in ordered:
        if name not in given:
            given[name] = names.give(f"{name}_" if name in SYSTEM_COLUMNS else name)
    return {name: given[name] for name in ordered}


def _possible(name: str) -> str:
    if not name:
        return "unnamed"
    return name if len(name.encode()) <= NAME_BYTES_MAX else _shortened(name, name)


def _shortened(name: str, seed: str) -> str:
    suffix = "_" + sha256(seed.encode()).hexdigest()[:8]
    head = name.encode()[: NAME_BYTES_MAX - len(suffix)].decode(errors="ignore")
    return head + suffix
