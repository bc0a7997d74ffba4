"""Options that several commands share. Light: ``--help`` must not wait for a model's libraries."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_MODEL = "gemma-3-270m"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
ModelName = Annotated[str, typer.Option(help="Base model: built-in name, folder or Hub id.")]
