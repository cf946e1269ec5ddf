"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from core.cli.speaking import tell

Source = Annotated[str, typer.Argument(metavar="SOURCE", help=tell("option.source"))]
OptionalSource = Annotated[
    str | None, typer.Argument(metavar="[SOURCE]", help=tell("option.source"))
]
TargetAddress = Annotated[
    str | None, typer.Option("--target", metavar="URL", help=tell("option.target"))
]
Schema = Annotated[str, typer.Option("--schema", help=tell("option.schema"))]
AsJson = Annotated[bool, typer.Option("--json", help=tell("option.json"))]
PlanFile = Annotated[Path | None, typer.Option("--plan", help=tell("option.plan"))]
Only = Annotated[list[str] | None, typer.Option("--only", help=tell("option.only"))]
Skip = Annotated[list[str] | None, typer.Option("--skip", help=tell("option.skip"))]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="TABLE=EXPR", help=tell("option.where"))
]
Fold = Annotated[bool, typer.Option("--fold", help=tell("option.fold"))]
Adopt = Annotated[bool, typer.Option("--adopt", help=tell("option.adopt"))]
Zone = Annotated[str, typer.Option("--zone", metavar="NAME", help=tell("option.zone"))]
Reveal = Annotated[bool, typer.Option("--reveal", help=tell("option.reveal"))]
RunId = Annotated[UUID | None, typer.Option("--run", help=tell("option.run"))]
NumberOfWorkers = Annotated[
    int, typer.Option("--workers", min=1, max=64, help=tell("option.workers"))
]
Note = Annotated[str, typer.Option("--note", help=tell("option.note"))]
