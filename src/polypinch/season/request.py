"""What is asked of a season. Light: what can be refused is refused before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.languages import languages as normal_tags

if TYPE_CHECKING:
    from polypinch.pool import ImportOptions

_HUB = "hub:"


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        rows: a file, folder, pool or ``hub:`` name.
        languages: into which.
        out: the folder to write to.
        reading: how the rows are imported.
        base: the language of the rows.
        count: examples in other languages, in total; ``None``: as advised.
        seed: selects them.
    """

    rows: str
    languages: tuple[str, ...]
    out: Path
    reading: ImportOptions
    base: str = "en"
    count: int | None = None
    seed: int = 0


def asked_languages(rows: str, languages: str, base: str) -> tuple[str, tuple[str, ...]]:
    """Return the base's tag and those of the others, which are given separated by commas.

    Raises:
        PinchError: there are no such rows, a language is unknown, or none but the base is named.
    """
    base = language(base).tag
    tags = normal_tags([tag.strip() for tag in languages.split(",") if tag.strip()])
    others = tuple(tag for tag in tags if tag != base)
    if not others:
        raise PinchError(f"no language but {base!r}, the rows' own, is named", fix="--languages de,fr")
    if not rows.startswith(_HUB) and not any(mark in rows for mark in "*?[") and not Path(rows).exists():
        near = sorted(path.name for path in Path(rows).absolute().parent.glob("*.json*"))[:5]
        raise PinchError(
            f"{rows}: no such file",
            fix=f"beside it there are {', '.join(near)}" if near else "give the path of your rows",
        )
    return base, others
