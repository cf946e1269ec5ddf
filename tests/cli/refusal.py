"""What must hold of every refusal, whatever was refused."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.words import say
from tests.cli.command import CANARY, Answer, Command, squeezed
from tests.cli.conftest import left_in

LINES = 8
"""A refusal is a few lines; before them may stand a milestone or two."""


def check_refused(
    command: Command,
    error: str,
    *arguments: object,
    target: str,
    code: int = 1,
    made: tuple[str, ...] = (),
    user: int | None = None,
    languages: tuple[str, ...] = ("en", "es"),
) -> None:
    """Start the command with ``--json`` in each language; it must refuse with ``error``.

    ``target``: where to look for anything half made; ``made``: what lay there before.
    """
    answers = command.in_languages(languages, *arguments, "--json", user=user)
    secrets = (CANARY, urlsplit(target).password or CANARY)
    for answer, language in zip(answers, languages, strict=True):
        check_short(answer, error, language, code)
        assert not any(secret in answer.said for secret in secrets)
    for part in ("message", "remedy"):
        assert len({answer.json["error"][part] for answer in answers}) == len(languages)
    assert sorted(left_in(target)) == sorted(made)
    assert command.snapshots() == []


def check_short(answer: Answer, error: str, language: str, code: int) -> None:
    """One JSON document; the same two sentences for people; no traceback."""
    assert answer.code == code, answer.said
    (only,) = answer.json.items()
    assert only[0] == "error"
    assert set(only[1]) == {"id", "message", "remedy"}
    assert only[1]["id"] == error, answer.said
    told = (
        f"{say('screen.error', language)} {only[1]['message']}"
        f" {say('screen.remedy', language)} {only[1]['remedy']}"
    )
    assert squeezed(answer.err).endswith(squeezed(told))
    assert len(answer.err.splitlines()) <= LINES, answer.err
    assert "Traceback" not in answer.said
