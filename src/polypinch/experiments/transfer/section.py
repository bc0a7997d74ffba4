"""One language trained on, all evaluated: the matrix, and what languages give and take."""

from __future__ import annotations

from collections.abc import Sequence

from polypinch.experiments.marks import dots, matrix
from polypinch.experiments.measured import LOSS, SCORE
from polypinch.experiments.transfer.measure import Cell, Mean, Side, Transfer
from polypinch.experiments.wording import (
    AS_PAPER,
    basis,
    by_name,
    heading,
    loss_measure,
    names_of,
    number_of,
    of_measure,
    one_seed,
    said,
    score_measure,
)
from polypinch.report import (
    Cells,
    Numbers,
    Part,
    Picture,
    ReportData,
    Scale,
    Spec,
    file_name,
    record,
)

_FADED = "faded: the interval holds"
_OWN = "framed: the model’s own language"


def section(data: ReportData, shown: Transfer) -> Part:
    """Return the section on transfer from one language to others."""
    against, branch = shown.against, shown.branch
    pictures: list[Picture] = []
    scores, losses = of_measure(shown.cells, SCORE), of_measure(shown.cells, LOSS)
    if scores:
        note = f"against {against}; 50 is parity; {_FADED} 50; {_OWN}"
        pictures.append(
            Picture(
                file_name(data, "transfer-scores", shown.model),
                AS_PAPER,
                _matrix(data, scores, score_measure(note), _study_order(scores)),
                "A row is a model tuned on one language alone, a column the language it is evaluated in."
                f" Blue is above parity, orange below. {_opponent(against)} {basis(scores)}",
                "transfer",
                _numbers(data, scores, "Scores by language tuned on and evaluated in"),
            )
        )
    first = LOSS if losses else SCORE
    ordered = [mean.language for mean in _best_first(_of_side(shown.means, first, "beside"), first)]
    if losses:
        note = f"against the untuned base, paired; lower is better; {_FADED} 0; {_OWN}"
        pictures.append(
            Picture(
                file_name(data, "transfer-loss", shown.model),
                "Ordered by what a language gives",
                _matrix(data, losses, loss_measure(note), ordered),
                "Held-out loss needs no judge and resolves smaller differences. Rows are ordered by what"
                " tuning on a language gives to the others, the most on top; columns in the same order, with"
                f" languages that no model was tuned on last. {basis(losses)}",
                "transfer",
                _numbers(data, losses, "Change of loss by language tuned on and evaluated in"),
            )
        )
    pictures += _means(data, shown, first, ordered)
    figure = f"Figure 7, for {branch} languages" if branch else "Figure 1"
    notes = list(one_seed(shown.cells))
    if branch is None and len(ordered) < 4:
        notes.append("With so few languages, an order of what they give says little of other languages.")
    return Part(
        heading(data, shown.model, "Tuned on one language, how well does it do in the others?", figure),
        "transfer",
        "Each model was tuned on one language alone and evaluated in all of them. A row’s mean is what a"
        " language gives to the others, a column’s what it takes from them; a model’s own language is left"
        " out of both.",
        tuple(notes),
        tuple(pictures),
        {"transfer": shown.cells, "transfer_means": shown.means},
    )


def _of_side(means: Sequence[Mean], measure: str, side: Side) -> list[Mean]:
    return [mean for mean in of_measure(means, measure) if mean.side == side]


def _means(data: ReportData, shown: Transfer, measure: str, ordered: list[str]) -> list[Picture]:
    name = names_of(data)
    beside, gives, takes = (_of_side(shown.means, measure, side) for side in ("beside", "gives", "takes"))
    better = "lower" if measure == LOSS else "higher"
    lead = f"beside the other models, in the same languages; {better} is better"
    level = "against the untuned base" if measure == LOSS else f"against {shown.against}"
    note = f"{level}; {better} is better; a model’s own language is left out"
    if measure == LOSS:
        gap, both = loss_measure(lead), loss_measure(note)
    else:
        gap, both = score_measure(lead, 0.0), score_measure(note)
    names = [name(tag) for tag in ordered]
    everyone = [*ordered, *(mean.language for mean in takes if mean.language not in ordered)]
    drawn = [record(mean) | {"name": name(mean.language), "series": mean.side} for mean in (*gives, *takes)]
    number = number_of(measure)
    columns = [
        ("beside the other models", beside, "+" + number.lstrip("+")),
        ("gives", gives, number),
        ("takes", takes, number),
    ]
    numbers = by_name([(tag, name(tag)) for tag in everyone], columns, "What languages give and take")
    pictures = []
    if beside:
        mine = [record(mean) | {"name": name(mean.language), "series": ""} for mean in beside]
        pictures.append(
            Picture(
                file_name(data, "transfer-gives", shown.model),
                "What each language gives, with intervals",
                dots(mine, names, gap),
                "How far a model is from the mean of the other models in the same languages, all but the ones"
                " either was tuned on. Models are compared on the same items, so what makes a language or an"
                " item hard cancels out. An interval that holds 0 cannot be told from the average model.",
                "transfer_means",
                numbers,
            )
        )
    pictures.append(
        Picture(
            file_name(data, "transfer-means", shown.model),
            "Row and column means, with intervals",
            dots(drawn, [name(tag) for tag in everyone], both, ("gives", "takes")),
            "What a language gives: the mean of its model’s row. What it takes: the mean of its column over"
            " models tuned on others. Each row’s mean leaves out another language, so compare rows in the"
            " figure before, and read levels here.",
            "transfer_means",
            None if pictures else numbers,
        )
    )
    return pictures


def _matrix(data: ReportData, cells: Sequence[Cell], measure: Scale, order: list[str]) -> Spec:
    name = names_of(data)
    trained = {cell.trained for cell in cells}
    down = [tag for tag in order if tag in trained]
    evaluated = list(dict.fromkeys(cell.evaluated for cell in cells))
    across = [tag for tag in order if tag in evaluated] + [tag for tag in evaluated if tag not in order]
    drawn = [
        record(cell)
        | {"row": name(cell.trained), "column": cell.evaluated, "own": cell.trained == cell.evaluated}
        for cell in cells
    ]
    return matrix(drawn, [name(tag) for tag in down], across, measure)


def _numbers(data: ReportData, cells: Sequence[Cell], title: str) -> Numbers:
    name = names_of(data)
    evaluated = list(dict.fromkeys(cell.evaluated for cell in cells))
    texts = {(cell.trained, cell.evaluated): said(cell.estimate, number_of(cell.measure)) for cell in cells}
    lines: list[tuple[str, Cells]] = [
        (name(tag), [texts.get((tag, other)) for other in evaluated])
        for tag in dict.fromkeys(cell.trained for cell in cells)
    ]
    return Numbers(title, ("tuned on", *(name(tag) for tag in evaluated)), lines)


def _study_order(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.trained for cell in cells))


def _best_first(means: Sequence[Mean], measure: str) -> list[Mean]:
    sign = 1 if measure == LOSS else -1
    return sorted(means, key=lambda mean: sign * mean.estimate.value)


def _opponent(against: str) -> str:
    if against == "monolingual":
        return (
            "Each column has its own opponent, the model tuned on that language alone, so compare within"
            " columns; on the diagonal a model meets itself."
        )
    return f"The opponent is {against} in every language."
