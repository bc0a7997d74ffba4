"""Finished studies side by side: may they be compared, and what the page that shows them is told."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.files import canonical_json
from polypinch.publish import Entry, write_together
from polypinch.publish.study_page import finished, read_report
from polypinch.study import Graph, Record, Store

_NAMED = 6  # in a warning


@dataclass(frozen=True)
class Finished:
    """One study and where it lies.

    Attributes:
        folder: the study's.
        inputs: what it reads.
        graph: its steps.
        store: where they are done.
    """

    folder: Path
    inputs: Record
    graph: Graph
    store: Store


@dataclass(frozen=True)
class StudiesTogether:
    """What was written.

    Attributes:
        page: its path.
        entries: the studies as the page names them, in order.
        warnings: where they cannot be compared.
    """

    page: Path
    entries: list[Entry]
    warnings: list[str]


def report_together(studies: Sequence[Finished], directory: Path) -> StudiesTogether:
    """Write one page for several finished studies, its tables and its figures.

    Raises:
        PinchError: fewer than two studies, one that is not finished, or studies that have nothing to
            compare: see :func:`comparable`.
    """
    if len({one.folder.resolve() for one in studies}) < max(2, len(studies)):
        raise PinchError("one study alone, or the same twice", fix="name two or more folders of studies")
    names = names_of(studies)
    warnings = comparable(dict(zip(names, (one.inputs for one in studies), strict=True)))
    for one in studies:
        finished(one.graph, one.store)
    entries = [
        Entry(name, _page(one.folder, directory), read_report(one.inputs, one.graph, one.store, one.folder))
        for name, one in zip(names, studies, strict=True)
    ]
    return StudiesTogether(write_together(entries, warnings, directory), entries, warnings)


def names_of(studies: Sequence[Finished]) -> list[str]:
    """Return a name for each study: its own, its folder's where two share one, or the whole path."""
    for names in (
        [one.inputs.study.name for one in studies],
        [one.folder.resolve().name for one in studies],
    ):
        if len(set(names)) == len(names):
            return names
    return [str(one.folder) for one in studies]


def _page(folder: Path, directory: Path) -> str:
    page = folder.resolve() / "report.html"
    return Path(os.path.relpath(page, directory.resolve())).as_posix() if page.is_file() else ""


def comparable(studies: dict[str, Record]) -> list[str]:
    """Return in sentences where studies cannot be compared, though as a whole they can.

    Args:
        studies: what they read, by name.

    Raises:
        PinchError: they have different base languages, or no other language or held-out text in common.
    """
    _same_base(studies)
    return [*_languages(studies), *_items(studies), *_scores(studies)]


def _same_base(studies: dict[str, Record]) -> None:
    bases = {name: one.study.base for name, one in studies.items()}
    if len(set(bases.values())) > 1:
        raise PinchError(
            f"their base languages differ ({_each(bases)}): what is a dose to one is none to another",
            fix="compare studies of one base language",
        )


def _languages(studies: dict[str, Record]) -> list[str]:
    others = {name: set(one.study.evaluated) - {one.study.base} for name, one in studies.items()}
    shared = set.intersection(*others.values())
    if not shared:
        raise PinchError(
            "they evaluate no language in common beside the base"
            f" ({_each({name: _list(tags) for name, tags in others.items()})})",
            fix="compare studies that share languages",
        )
    found = []
    beyond = {name: _list(tags - shared) for name, tags in others.items() if tags - shared}
    if beyond:
        found.append(
            f"They evaluate different languages. Beside the {len(shared)} that all have: {_each(beyond)}."
            " Each average is over its own study’s languages."
        )
    seen = {name: set(one.study.languages.seen) for name, one in studies.items()}
    if len({frozenset(tags) for tags in seen.values()}) > 1:
        found.append(
            "They mean different languages by seen:"
            f" {_each({name: _list(tags) or 'none' for name, tags in seen.items()})}."
            " The averages over all other languages, in the tables, do not depend on that."
        )
    return found


def _items(studies: dict[str, Record]) -> list[str]:
    texts = {name: _texts(one) for name, one in studies.items()}
    first, *rest = texts.values()
    same = {key for key, text in first.items() if all(other.get(key) == text for other in rest)}
    if not same:
        raise PinchError(
            "no held-out text is in all of them: their losses and scores speak of different things",
            fix="compare studies that name the same held-out pool",
        )
    counts = {name: len({item for item, _ in held}) for name, held in texts.items()}
    shared = len({item for item, _ in same})
    if any(count != shared for count in counts.values()):
        return [
            f"They hold out different items. {_each(counts)}; {shared} of them are the same in all. What"
            " differs between the studies may be these items."
        ]
    answered = {name: len(one.answered["item_id"].unique()) for name, one in studies.items()}
    if len(set(answered.values())) > 1:
        return [
            f"They answer different numbers of prompts in each language. {_each(answered)}. Fidelity and"
            " scores speak of these alone."
        ]
    return []


def _texts(inputs: Record) -> dict[tuple[str, str], str]:
    columns = (inputs.heldout[name].to_pylist() for name in ("item_id", "language", "messages"))
    return {(item, tag): canonical_json(messages) for item, tag, messages in zip(*columns, strict=True)}


def _scores(studies: dict[str, Record]) -> list[str]:
    compared = {name: one for name, one in studies.items() if one.is_compared}
    judges = {name: one.judge.words for name, one in compared.items()}
    against = {name: one.study.comparison.against for name, one in compared.items()}
    found = []
    if len(set(judges.values())) > 1:
        found.append(f"Their scores come from different judges. {_each(judges)}. Do not compare them.")
    if len(set(against.values())) > 1:
        found.append(f"Their scores are against different opponents. {_each(against)}. Do not compare them.")
    elif compared and len({_opponent(one) for one in compared.values()}) > 1:
        found.append(
            "Each study’s scores are against its own opponent, which differs in its base model or tuning. A"
            " higher score is a larger lead over that, not a better answer."
        )
    return found


def _opponent(inputs: Record) -> str:
    study = inputs.study
    arm = next((arm for arm in study.arms if arm.name == study.comparison.against), None)
    recipe = study.recipe(arm).model_dump(mode="json") if arm else None
    return canonical_json([list(study.models), recipe, study.budget.model_dump(mode="json")])


def _list(tags: set[str]) -> str:
    shown = sorted(tags)
    more = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _each(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in values.items())
