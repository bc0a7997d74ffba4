"""polypinch view: a study's pages, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polypinch.cli.options import needs_web
from polypinch.cli.show import echo


def view_command(
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY...", help="One study's folder, or several.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8766,
) -> None:
    """Show studies until Ctrl-C: what each says, every answer with its verdicts, mixtures' rows, all steps.

    It listens on this machine alone, and works while a study runs.

    Example: polypinch view demo
    """
    from polypinch.cli.studies import recorded

    with needs_web():
        from polypinch.web import address, listening, serve
        from polypinch.web.view import Shown, explorer_app
    host = "127.0.0.1"
    opened = [(folder, recorded(folder)) for folder in studies]
    with listening(host, port) as own, Shown.opened(opened) as shown:
        where = address(own, host)
        serve(explorer_app(shown), own, lambda: echo(f"open {where} in a browser; Ctrl-C ends it"))
