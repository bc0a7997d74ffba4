from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.testing import CliRunner

from polypinch.cli.options import folded


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where it goes."""

    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="What is read.")]
    often: Annotated[int, typer.Option(min=1, help="How often.")] = 2


def command() -> tuple[typer.Typer, list[Any]]:
    app, calls = typer.Typer(), []

    @app.command()
    @folded
    def run(where: Where, loud: Annotated[bool, typer.Option(help="Say it loudly.")] = False) -> None:
        """Do it."""
        calls.append((where, loud))

    return app, calls


def test_a_handful_of_options_is_given_as_if_each_were_a_parameter_of_the_command() -> None:
    app, calls = command()
    assert CliRunner().invoke(app, ["a.txt", "--often", "3", "--loud"]).exit_code == 0
    assert CliRunner().invoke(app, ["a.txt"]).exit_code == 0
    assert calls == [(Where(source=Path("a.txt"), often=3), True), (Where(source=Path("a.txt")), False)]


def test_bounds_requirements_and_help_hold_for_options_in_a_handful() -> None:
    app, calls = command()
    assert CliRunner().invoke(app, ["a.txt", "--often", "0"]).exit_code == 2
    assert CliRunner().invoke(app, []).exit_code == 2
    told = CliRunner().invoke(app, ["--help"]).output
    assert all(text in told for text in ("SOURCE", "How often.", "Do it."))
    assert calls == []
