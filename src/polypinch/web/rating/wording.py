"""The desk's own words in a rater's language, and the guidelines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from polypinch.judge.people import GUIDELINES, Job, Rated
from polypinch.languages import language

DEFAULT = "en"


@dataclass(frozen=True)
class Wording:
    """What the desk says in one language.

    Attributes:
        tag: the language.
        direction: ``ltr`` or ``rtl``.
        texts: by name, as in ``languages/en.yaml``.
    """

    tag: str
    direction: str
    texts: dict[str, Any]

    def guidelines(self, rated: Rated) -> str:
        """Return the guidelines as Markdown: a heading, and a list."""
        own = self.texts["guidelines"]
        lines = [*own["common"], *own[rated.value]]
        return "\n".join([f"# {self.texts['read']}", "", *(f"- {line}" for line in lines), ""])


@cache
def built_in() -> dict[str, str]:
    """Return the files of all built-in languages, by tag."""
    folder = files("polypinch.web.rating").joinpath("languages")
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return {name.removesuffix(".yaml"): text for name, text in texts.items() if name.endswith(".yaml")}


@cache
def wording_in(tag: str) -> Wording:
    """Return the wording in a language; English where there is none."""
    known = next(name for name in (tag, tag.split("-", maxsplit=1)[0], DEFAULT) if name in built_in())
    return Wording(known, language(known).direction, yaml.safe_load(built_in()[known]))


def guidelines_for(languages: tuple[str, ...], rated: Rated) -> dict[str, str]:
    """Return the guidelines that a job begins with, by language."""
    return {tag: wording_in(tag).guidelines(rated) for tag in languages}


@dataclass(frozen=True)
class Block:
    """A piece of guidelines.

    Attributes:
        kind: ``heading``, ``list`` or ``text``.
        lines: its lines; a list's points.
    """

    kind: str
    lines: tuple[str, ...]


def blocks(markdown: str) -> list[Block]:
    """Divide guidelines into headings, lists and paragraphs; anything else in them is shown as it is."""
    made: list[Block] = []
    for piece in markdown.replace("\r\n", "\n").split("\n\n"):
        lines = [line.strip() for line in piece.splitlines() if line.strip()]
        while lines and lines[0].startswith("#"):
            made.append(Block("heading", (lines.pop(0).lstrip("# "),)))
        if lines and all(line.startswith(("- ", "* ")) for line in lines):
            made.append(Block("list", tuple(line[2:] for line in lines)))
        elif lines:
            made.append(Block("text", tuple(lines)))
    return made


def job_guidelines(job: Job, tag: str) -> list[Block]:
    """Return a job's guidelines in a language, as they are in its folder now."""
    path = job.folder / GUIDELINES / f"{tag}.md"
    if path.is_file():
        return blocks(path.read_text(encoding="utf-8", errors="replace"))
    return blocks(wording_in(tag).guidelines(job.facts.rated))
