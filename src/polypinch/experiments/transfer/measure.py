"""What tuning on one language alone does for the others: Figures 1 and 7 of the paper."""

from __future__ import annotations

from collections.abc import Mapping

from polypinch.experiments.composition import Condition
from polypinch.experiments.measured import Measured
from polypinch.languages import language
from polypinch.report import Experiment
from polypinch.stats import Estimate, beside_others, transfer_matrix


def transfer(measured: Measured, single: Mapping[str, Condition]) -> Experiment | None:
    """Return the transfer matrices of arms of one language alone, with what languages give and take.

    Args:
        measured: the arms' measures.
        single: arms by the language that they were tuned on.
    """
    evaluated = measured.axes.languages
    trained = in_order(single, evaluated)
    own = [evaluated.index(tag) if tag in evaluated else None for tag in trained]
    cells, means = [], []
    for measure, values in measured.measures([single[tag].arm for tag in trained]):
        found = transfer_matrix(values, own)
        beside = transfer_matrix(beside_others(values, own), own).gives

        def add(side: str, tag: str, one: Estimate, measure: str = measure) -> None:
            if one.n_items:
                row = measured.row if side == "beside" else measured.level
                means.append(row(one, measure, side=side, language=tag))

        for tag, row, gives, lead in zip(trained, found.cells, found.gives, beside, strict=True):
            cells += [
                measured.level(one, measure, trained=tag, evaluated=other)
                for other, one in zip(evaluated, row, strict=True)
                if one.n_items
            ]
            add("gives", tag, gives)
            add("beside", tag, lead)
        for tag, takes in zip(evaluated, found.takes, strict=True):
            add("takes", tag, takes)
    if not cells:
        return None
    branches = {language(tag).family for tag in (*trained, *evaluated)}
    facts = {"against": measured.against, "branch": branches.pop() if len(branches) == 1 else None}
    return Experiment("transfer", measured.model, {"transfer": cells, "transfer_means": means}, facts)


def in_order(single: Mapping[str, Condition], evaluated: tuple[str, ...]) -> list[str]:
    """Return the trained languages, those that are evaluated first and in their order."""
    at = {tag: index for index, tag in enumerate(evaluated)}
    return sorted(single, key=lambda tag: at.get(tag, len(at)))
