"""Options that several commands share. Light: ``--help`` must not wait for a model's libraries."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from polypinch.errors import PinchError

DEFAULT_MODEL = "gemma-3-270m"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
ModelName = Annotated[str, typer.Option(help="Base model: built-in name, folder or Hub id.")]


def folded(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take options by the handful: a parameter that is a dataclass stands for its fields.

    The dataclasses are ``kw_only``, and each field is annotated as an option is. The command line is the same
    as if each field were a parameter of the command.
    """
    hints = get_type_hints(command, include_extras=True)
    handfuls: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    options: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in handfuls:
            options += _options(handfuls[parameter.name])
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            options.append(parameter.replace(kind=kind, annotation=hints[parameter.name]))

    @functools.wraps(command)
    def unfolded(**given: Any) -> None:
        for name, kind in handfuls.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    unfolded.__annotations__ = {option.name: option.annotation for option in options}
    vars(unfolded)["__signature__"] = inspect.Signature(options)
    return unfolded


def _options(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(kind)
    ]


@contextmanager
def needs_web() -> Iterator[None]:
    """Say how to install the extra ``web`` where an import in the block lacks a package of it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "starlette", "uvicorn", "duckdb"):
            raise
        raise PinchError(
            f"this command needs {error.name}, of the extra web", fix="pip install 'polypinch[web]'"
        ) from error


SpeedOf = Annotated[
    str | None,
    typer.Option(
        "--tokens-per-second",
        help="A device's speed to tell time by: a number, or 'tuned: 9000, scored: 30000, drawn: 2000'.",
    ),
]

PriceOfAnHour = Annotated[
    float | None,
    typer.Option("--price-per-hour", min=0, help="Dollars for an hour of one device, to tell the money by."),
]
