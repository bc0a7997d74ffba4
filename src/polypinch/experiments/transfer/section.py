"""One language trained on, all evaluated: the matrix, and what languages give and take."""

from __future__ import annotations

from polypinch.experiments.marks import dots, matrix
from polypinch.experiments.parts import (
    AS_PAPER,
    LOSS,
    SCORE,
    Cells,
    Numbers,
    Part,
    Picture,
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
from polypinch.report import Experiment, Measure, ReportData, Rows, basis, file_name

_BOLD = "bold: the interval leaves out"
_OWN = "framed: the model’s own language"


def transfer_part(data: ReportData, shown: Experiment) -> Part:
    """Return the section on transfer from one language to others."""
    cells, means = shown.tables["transfer"], shown.tables["transfer_means"]
    against, branch = shown.facts["against"], shown.facts["branch"]
    pictures: list[Picture] = []
    scores, losses = of_measure(cells, SCORE), of_measure(cells, LOSS)
    if scores:
        note = f"against {against}; 50 is parity; {_BOLD} 50; {_OWN}"
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
    ordered = [row["language"] for row in _best_first(of_measure(means, first, side="beside"), first)]
    if losses:
        note = f"against the untuned base, paired; lower is better; {_BOLD} 0; {_OWN}"
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
    notes = list(one_seed(cells))
    if branch is None and len(ordered) < 4:
        notes.append("With so few languages, an order of what they give says little of other languages.")
    return Part(
        "transfer",
        heading(data, shown, "Tuned on one language, how well does it do in the others?", figure),
        "Each model was tuned on one language alone and evaluated in all of them. A row’s mean is what a"
        " language gives to the others, a column’s what it takes from them; a model’s own language is left"
        " out of both.",
        tuple(notes),
        tuple(pictures),
    )


def _means(data: ReportData, shown: Experiment, measure: str, ordered: list[str]) -> list[Picture]:
    name = names_of(data)
    means = shown.tables["transfer_means"]
    sides = {side: of_measure(means, measure, side=side) for side in ("beside", "gives", "takes")}
    better = "lower" if measure == LOSS else "higher"
    lead = f"beside the other models, in the same languages; {better} is better"
    level = "against the untuned base" if measure == LOSS else f"against {shown.facts['against']}"
    note = f"{level}; {better} is better; a model’s own language is left out"
    if measure == LOSS:
        gap, both = loss_measure(lead), loss_measure(note)
    else:
        gap, both = score_measure(lead, 0.0), score_measure(note)
    names = [name(tag) for tag in ordered]
    everyone = [*ordered, *(row["language"] for row in sides["takes"] if row["language"] not in ordered)]
    drawn = [
        row | {"name": name(row["language"]), "series": side} for side in ("gives", "takes")
        for row in sides[side]
    ]  # fmt: skip
    number = number_of(measure)
    columns = [
        ("beside the other models", sides["beside"], "+" + number.lstrip("+")),
        ("gives", sides["gives"], number),
        ("takes", sides["takes"], number),
    ]
    numbers = by_name([(tag, name(tag)) for tag in everyone], columns, "What languages give and take")
    found = []
    if sides["beside"]:
        mine = [row | {"name": name(row["language"]), "series": ""} for row in sides["beside"]]
        found.append(
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
    found.append(
        Picture(
            file_name(data, "transfer-means", shown.model),
            "Row and column means, with intervals",
            dots(drawn, [name(tag) for tag in everyone], both, ("gives", "takes")),
            "What a language gives: the mean of its model’s row. What it takes: the mean of its column over"
            " models tuned on others. Each row’s mean leaves out another language, so compare rows in the"
            " figure before, and read levels here.",
            "transfer_means",
            None if found else numbers,
        )
    )
    return found


def _matrix(data: ReportData, rows: Rows, measure: Measure, order: list[str]) -> dict[str, object]:
    name = names_of(data)
    trained = {row["trained"] for row in rows}
    down = [tag for tag in order if tag in trained]
    evaluated = list(dict.fromkeys(row["evaluated"] for row in rows))
    across = [tag for tag in order if tag in evaluated] + [tag for tag in evaluated if tag not in order]
    drawn = [
        row
        | {"row": name(row["trained"]), "column": row["evaluated"], "own": row["trained"] == row["evaluated"]}
        for row in rows
    ]
    return matrix(drawn, [name(tag) for tag in down], across, measure)


def _numbers(data: ReportData, rows: Rows, title: str) -> Numbers:
    name = names_of(data)
    evaluated = list(dict.fromkeys(row["evaluated"] for row in rows))
    cells = {(row["trained"], row["evaluated"]): said(row, number_of(row["measure"])) for row in rows}
    lines: list[tuple[str, Cells]] = [
        (name(tag), [cells.get((tag, other)) for other in evaluated])
        for tag in dict.fromkeys(row["trained"] for row in rows)
    ]
    return Numbers(title, ("tuned on", *(name(tag) for tag in evaluated)), lines)


def _study_order(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["trained"] for row in rows))


def _best_first(rows: Rows, measure: str) -> Rows:
    return sorted(rows, key=lambda row: row["value"] if measure == LOSS else -row["value"])


def _opponent(against: str) -> str:
    if against == "monolingual":
        return (
            "Each column has its own opponent, the model tuned on that language alone, so compare within"
            " columns; on the diagonal a model meets itself."
        )
    return f"The opponent is {against} in every language."
