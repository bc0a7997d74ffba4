"""What the rates of a fidelity table cannot tell, or do not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from polypinch.fidelity.identify import cannot_be_told
from polypinch.fidelity.scripts import scripts_of
from polypinch.languages import language

# In each group py3langid takes eight words of one for another in a twentieth of the cases or more, on the
# Universal Declaration of Human Rights, or does so on single lines of published answers (docs/fidelity.md).
_ALIKE = tuple(
    frozenset(group.split())
    for group in (
        "id ms",
        "bs hr sr",
        "da nb nn no",
        "hi mr ne sa",
        "bg mk sr",
        "cs sk",
        "gl pt",
        "nso st",
        "xh zu",
        "crh tr",
        "wuu yue zh",
    )
)


def confusable(tags: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the groups of these languages that are easily taken for each other, where a script is shared.

    Args:
        tags: candidates, normalised.
    """
    groups = []
    for alike in _ALIKE:
        own = [tag for tag in dict.fromkeys(tags) if tag.split("-", maxsplit=1)[0] in alike]
        own = [
            tag
            for tag in own
            if any(
                other != tag and not _twins(tag, other) and scripts_of(tag) & scripts_of(other)
                for other in own
            )
        ]
        if own and tuple(own) not in groups:
            groups.append(tuple(own))
    return groups


def _twins(tag: str, other: str) -> bool:
    return tag.split("-", maxsplit=1)[0] == other.split("-", maxsplit=1)[0]


def fidelity_notes(table: pa.Table, candidates: Sequence[str] | None) -> list[str]:
    """Say in sentences what a reader of a fidelity table's rates should know of its languages and scripts.

    Args:
        table: the columns of ``FIDELITY_SCHEMA`` and ``language``.
        candidates: those it was made with; ``None`` where all languages were.
    """
    asked = list(dict.fromkeys(table["language"].to_pylist()))
    return [*candidate_notes(asked, candidates), *_script_notes(table)]


def candidate_notes(asked: Sequence[str], candidates: Sequence[str] | None) -> list[str]:
    """Say which of the languages asked for cannot be told, or not from which candidates.

    Args:
        asked: tags, normalised.
        candidates: to choose among; ``None`` for all languages.
    """
    said = [
        f"{tag} cannot be told: language identification does not know {language(tag.split('-')[0]).name} in "
        f"{language(tag).script}; its answers have no rate"
        for tag in asked
        if cannot_be_told(tag)
    ]
    alike = [group for group in confusable(candidates or asked) if not set(group).isdisjoint(asked)]
    said += [
        f"{' and '.join(group)} are easily taken for each other: rates among them are rough, "
        "of short answers most"
        for group in alike
    ]
    if candidates is None:
        said += [
            f"{tag} is easily taken for {' or '.join(sorted(others))}, which the open choice holds too: "
            "name candidates"
            for tag in asked
            for others in [_easily_taken_for(tag) - set(asked)]
            if others and not any(tag in group for group in alike)
        ]
    return said


def _easily_taken_for(tag: str) -> set[str]:
    primary = tag.split("-", maxsplit=1)[0]
    if primary in ("nb", "nn", "no"):
        return {"da"}
    groups = [group for group in _ALIKE if primary in group]
    return {
        other
        for group in groups
        for other in group
        if other != primary and scripts_of(other) & scripts_of(tag)
    }


def _script_notes(table: pa.Table) -> list[str]:
    """Say how many answers are in another script than usual, whether the tag let them pass or not."""
    rows = zip(
        table["language"].to_pylist(),
        table["response_language"].to_pylist(),
        table["in_language"].to_pylist(),
        strict=True,
    )
    others = Counter(
        (asked, told, right)
        for asked, told, right in rows
        if told is not None and right is not None and asked != told and _differ_in_script(asked, told)
    )
    return [
        f"{asked}: {n} answer{'s are' if n > 1 else ' is'} {told}, the same language in another script, "
        + (
            f"and count{'' if n > 1 else 's'} as in language: to tell, ask for {told} or for the other script"
            if right
            else f"and do{'' if n > 1 else 'es'} not count as in language"
        )
        for (asked, told, right), n in sorted(others.items())
    ]


def _differ_in_script(asked: str, told: str) -> bool:
    return _twins(asked, told) and language(asked, literal=True).script != language(told, literal=True).script
