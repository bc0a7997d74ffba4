"""The same dose in two ways, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.experiments.marks import dots
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.ways.measure import Against, Way, Ways
from polypinch.experiments.wording import (
    basis,
    heading,
    loss_measure,
    of_measure,
    one_seed,
    said,
    score_measure,
)
from polypinch.report import Cells, Numbers, Part, Picture, ReportData, Spec, file_name, record

_QUESTIONS = {
    "placement": "Does it matter that a dose takes the place of other examples?",
    "items": "Does it matter whether the dose translates the base’s own items?",
    "times": "Are fewer examples, each repeated, as good?",
    "tuning": "Does the dose work alike when tuned otherwise?",
}
_BESIDE = {
    "placement": "less the same dose in place of base examples",
    "items": "less the same dose in the base’s own items",
    "times": "less as many different rows",
    "tuning": "less the same dose in the study’s tuning",
}
_NOTES = {
    "placement": "What is added also makes the mixture larger and the tuning longer: the two are not told"
    " apart.",
    "items": "Other items bring other contents as well as another language.",
    "times": "",
    "tuning": "A tuning may differ with and without a dose: the last figure sets each dose against none in"
    " the same tuning.",
}


def section(data: ReportData, shown: Ways) -> Part:
    """Return the section on one dose in two ways."""
    kinds, against = shown.kinds, shown.against
    pictures: list[Picture] = []
    for kind in kinds:
        own = [way for way in shown.ways if way.what == kind]
        for measure in (LOSS, SCORE):
            differences = of_measure(own, measure)
            if differences:
                stem = f"ways-{kind}-{'loss' if measure == LOSS else 'scores'}"
                pictures.append(
                    Picture(
                        file_name(data, stem, shown.model),
                        "Difference between the ways, held-out loss" if measure == LOSS else
                        "Difference between the ways, scores",
                        _dots(differences, measure, f"{_BESIDE[kind]}, paired by item and seed"),
                        "Each point is the difference between two arms with the same dose that are unlike in"
                        " this alone. An interval that holds 0 cannot be told from no difference."
                        f" {basis(differences)}",
                        "ways",
                        _numbers(own, measure),
                    )
                )  # fmt: skip
    first = LOSS if of_measure(against, LOSS) else SCORE
    mine = of_measure(against, first)
    if mine:
        pictures.append(
            Picture(
                file_name(data, "ways-doses", shown.model),
                "Each dose against none, tuned alike",
                _dots(mine, first, "the dose less the base language alone, tuned alike; paired"),
                "Each point is what the dose does in its own way: against the arm of the base language alone"
                f" with the same tuning. {basis(mine)}",
                "ways_doses",
                _numbers(against, first),
            )
        )
    question = (
        _QUESTIONS[kinds[0]] if len(kinds) == 1 else "Does it matter how the dose is put in and tuned on?"
    )
    notes = tuple(_NOTES[kind] for kind in kinds if _NOTES[kind])
    return Part(
        heading(data, shown.model, question, ""),
        "ways",
        "The paper has no such experiment. Arms with the same number of examples in the same languages, put"
        " in or tuned on in two ways.",
        (*one_seed(shown.ways), *notes),
        tuple(pictures),
        {"ways": shown.ways, "ways_doses": against},
    )


def _averages(rows: Sequence[Way | Against]) -> list[Way | Against]:
    """Return rows of the averages shown: seen and unseen, or all others where there is one group alone."""
    groups = [name for name in ("seen", "unseen") if any(row.language == name for row in rows)]
    return [row for row in rows if row.language in (groups or ["others"])]


def _label(row: Way | Against) -> str:
    return f"{row.way}, dose {row.dose}"


def _dots(rows: Sequence[Way | Against], measure: str, note: str) -> Spec:
    shown = _averages(rows)
    drawn = [record(row) | {"name": _label(row), "series": row.language} for row in shown]
    series = list(dict.fromkeys(row["series"] for row in drawn))
    better = "lower" if measure == LOSS else "higher"
    told = f"{note}; {better} is better"
    title = "Difference in held-out loss, bits per byte" if measure == LOSS else "Difference in score, points"
    how = loss_measure(told, title) if measure == LOSS else score_measure(told, 0.0, title)
    return dots(drawn, list(dict.fromkeys(row["name"] for row in drawn)), how, series)


def _numbers(rows: Sequence[Way | Against], measure: str) -> Numbers:
    own = of_measure(rows, measure)
    names = list(dict.fromkeys(row.language for row in own))
    names.sort(key=lambda name: name not in ("seen", "unseen", "others"))
    number = "+.4f" if measure == LOSS else "+.1f"
    lines: list[tuple[str, Cells]] = []
    for arm in dict.fromkeys((row.arm, row.beside) for row in own):
        mine = {row.language: row.estimate for row in own if (row.arm, row.beside) == arm}
        cells: Cells = [said(mine[name], number) if name in mine else None for name in names]
        lines.append((f"{arm[0]} − {arm[1]}", cells))
    return Numbers("Differences between arms", ("arms", *names), lines)
