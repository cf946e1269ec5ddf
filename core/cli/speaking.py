"""How the command speaks: to people on standard error and output, to programs in JSON."""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from core.errors import MudanzaError, WrongUsage
from core.settings import read_settings
from core.transfer.states import Status
from core.transfer.steering import Asked
from core.words import say

EXIT_UNEXPECTED, EXIT_INTERRUPTED = 1, 130

SETTINGS = read_settings()
LANGUAGE = SETTINGS.language

out = Console()
err = Console(stderr=True)


def tell(sentence_id: str, /, **parameters: object) -> str:
    """A sentence in the language of this command."""
    return say(sentence_id, LANGUAGE, **parameters)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def error_sentence(error: MudanzaError) -> str:
    """What an error says in the language of this command."""
    return tell(error.sentence_id, **_spoken(error))


def _spoken(error: MudanzaError) -> dict[str, object]:
    return {name: _word(fact) for name, fact in error.facts.items()}


def _word(fact: object) -> object:
    match fact:
        case Status():
            return tell(f"status.{fact}")
        case Asked():
            return tell(f"asked.{fact}")
        case MudanzaError():
            return error_sentence(fact)
    return fact


@contextmanager
def answering(as_json: bool) -> Iterator[None]:
    """Run a command's body; what stops it becomes a short sentence and an exit code."""
    try:
        yield
    except MudanzaError as refused:
        _refuse(refused, as_json)
        raise typer.Exit(refused.exit_code) from None
    except KeyboardInterrupt:
        _print_error(
            "interrupted", tell("screen.interrupted"), tell("screen.interrupted.remedy"), as_json
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(EXIT_UNEXPECTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as unforeseen:  # noqa: BLE001  # a traceback may show values of rows
        _confess(unforeseen, as_json)
        raise typer.Exit(EXIT_UNEXPECTED) from None


def refuse_usage(said: str, *, as_json: bool) -> None:
    """Say what is wrong with a command line; nothing when its help was printed instead.

    A word in the wrong place is quoted, and may be an address with its password.
    """
    if said:
        detail = re.sub(r"(\w+://|password=)[^\s)]*", r"\1…", said)
        _refuse(WrongUsage(detail=detail), as_json)


def _refuse(refused: MudanzaError, as_json: bool) -> None:
    facts = _spoken(refused)
    message, remedy = tell(refused.sentence_id, **facts), tell(refused.remedy_id, **facts)
    _print_error(refused.id, message, remedy, as_json)


def _confess(unforeseen: Exception, as_json: bool) -> None:
    """Name the place, never the message: it may hold values of rows, or a password."""
    frame = traceback.extract_tb(unforeseen.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    message = tell("screen.unexpected", kind=type(unforeseen).__name__, place=place)
    _print_error("unexpected", message, tell("screen.unexpected.remedy"), as_json)


def _print_error(error_id: str, message: str, remedy: str, as_json: bool) -> None:
    _sentence(f"[bold red]{tell('screen.error')}[/] {escape(message)}")
    _sentence(f"[bold]{tell('screen.remedy')}[/] {escape(remedy)}")
    if as_json:
        print_json({"error": {"id": error_id, "message": message, "remedy": remedy}})


def _sentence(markup: str) -> None:
    """Unbroken: a path or an address in it can be copied whole."""
    err.print(markup, highlight=False, soft_wrap=True)
