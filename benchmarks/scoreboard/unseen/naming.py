"""Names as people give them: plain, in capitals, with blanks, reserved, not English."""

from __future__ import annotations

from random import Random

_TABLES = (
    "customer", "invoice", "product", "visit", "device", "reading", "author", "track", "order",
    "user", "group", "payment", "shipment", "lesson", "student", "ticket", "comment", "Rezept",
    "año", "sample", "asset", "branch", "session", "contract", "measure",
)  # fmt: skip
_COLUMNS = (
    "name", "title", "code", "state", "kind", "price", "amount", "level", "size", "weight", "note",
    "position", "from", "to", "end", "select", "email", "phone", "city", "value", "rank", "flag",
    "started", "closed", "due", "payload", "token", "colour", "score", "offset", "user", "desc",
)  # fmt: skip
_STYLES = ("plain", "plain", "camel", "capitals", "blanks", "odd")


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


class Namer:
    """Gives each table and column of a schema a name of its own, in one style."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._style = chance.choice(_STYLES)
        self._given: set[str] = set()

    def table(self) -> str:
        """A name that no table has yet."""
        return self._fresh(self._chance.choice(_TABLES), self._given)

    def column(self, given: set[str]) -> str:
        """A name that is not among ``given``, and then is."""
        return self._fresh(self._chance.choice(_COLUMNS), given)

    def _fresh(self, word: str, given: set[str]) -> str:
        name = self._styled(word)
        number = 2
        while name.lower() in given:
            name, number = f"{self._styled(word)}{number}", number + 1
        given.add(name.lower())
        return name

    def _styled(self, word: str) -> str:
        match self._style:
            case "camel":
                return word.capitalize() + self._chance.choice(("", "Id", "Of", "Info"))
            case "capitals":
                return word.upper()
            case "blanks":
                return f"{word} {self._chance.choice(('list', 'no', 'of day', '%'))}"
            case "odd" if self._chance.random() < 0.4:
                return self._chance.choice(
                    (f'{word}"s', f"{word}-1", f"{word}.x", f"ñ{word}", f"{word}$")
                )
        return word
