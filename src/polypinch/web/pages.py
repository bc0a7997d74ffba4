"""Pages from templates, and the few files that they need; nothing is fetched from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

TYPES = {"svg": "image/svg+xml", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@cache
def environment() -> Environment:
    """Return the templates of this room; every text is escaped."""
    return Environment(
        loader=PackageLoader("polypinch.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(template: str, **content: Any) -> str:
    """Return a page made of a template and its content."""
    return environment().get_template(template).render(**content)


@cache
def static() -> dict[str, tuple[bytes, str]]:
    """Return our own files by name, each with its content type."""
    folder = files("polypinch.web").joinpath("static")
    kinds = {file.name: TYPES.get(file.name.rpartition(".")[2]) for file in folder.iterdir()}
    return {name: (folder.joinpath(name).read_bytes(), kind) for name, kind in kinds.items() if kind}
