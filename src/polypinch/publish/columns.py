"""The documentation of every table: its columns, from the dataclass or the schema that they are made of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

from polypinch.publish.looks import LOOKS, LookRow
from polypinch.publish.rated import PEOPLE_AND_JUDGE, RATINGS, AgreementRow, RatedRow
from polypinch.report import ROWS, Step
from polypinch.study import TABLES

_HEAD = """# Tables

What every file of a study holds, column by column. A language is a tag, or `seen`, `unseen`, `others` for
an average over languages that are not the base. An empty cell is not known, or not measured; `.tex` files
hold the same for a paper.
"""

_ARTIFACTS = """
## What the steps keep

In `store/KIND/NAME-FINGERPRINT/`, as Parquet, at least these columns:
"""


def documentation() -> str:
    """Return what ``docs/tables.md`` has to be."""
    parts = [_HEAD]
    more = {"steps": Step, LOOKS: LookRow, RATINGS: RatedRow, PEOPLE_AND_JUDGE: AgreementRow}
    for name, row in {**ROWS, **more}.items():
        parts.append(f"\n## `tables/{name}.csv`\n\n{_summary(row)}\n\n| column | what it is |\n|---|---|\n")
        known = described(row)
        parts += [f"| `{one.name}` | {known[one.name]} |\n" for one in fields(row)]
    parts.append(_ARTIFACTS)
    for kind, file in TABLES.items():
        parts.append(f"\n### {kind}: `{file.name}`\n\n| column | type |\n|---|---|\n")
        parts += [f"| `{column.name}` | {column.type} |\n" for column in file.schema]
    return "".join(parts)


def described(row: type) -> Mapping[str, str]:
    """Return what each field of a dataclass is, by its docstring and those of the classes it extends."""
    return {name: words for one in reversed(row.__mro__) for name, words in _attributes(one)}


def _summary(row: type) -> str:
    text = inspect.cleandoc(row.__doc__ or "").split("\n\n")[0]
    return _plain(text)


def _attributes(row: type) -> Iterator[tuple[str, str]]:
    text = inspect.cleandoc(row.__dict__.get("__doc__") or "")
    _, _, listed = text.partition("Attributes:\n")
    for name, words in re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", listed, re.M):
        yield name, _plain(words)


def _plain(text: str) -> str:
    words = re.sub(r":\w+:`[~.]?([^`]*)`", r"`\1`", " ".join(text.split()))
    return words.replace("``", "`").replace("|", r"\|")
