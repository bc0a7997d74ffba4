"""What says how good an arm is in a language: its unit, its direction, and how its values are said.

Findings, tables, charts and sentences take a :class:`Measure` and know no other thing of it. To add one: a
:class:`MeasureKind` and a constant here, and where its values are read in
:meth:`polypinch.results.ArmResults.values`, which a type checker asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class MeasureKind(StrEnum):
    """Where a measure's values come from."""

    LOSS = "loss"
    FIDELITY = "fidelity"
    SCORE = "score"
    TASK = "task"


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        kind: where its values come from.
        name: in tables and files; of a task, its own.
        title: in a sentence, in full.
        short: in a sentence that said the title before.
        unit: of its values as they are said.
        lower_is_better: the direction.
        neutral: the value that means no difference; ``None`` where only a change can mean it.
        bounds: the least and the greatest value; ``inf`` where there is none.
        margin: how much worse still counts as good, where a study says nothing else; in the values' unit.
        margin_key: the study's setting of it, empty where there is none.
        scale: what to multiply a value by to say it: 100 for a share.
        digits: after the point, of what is said.
        text: Python number format of a value in a table.
        change_text: of a change.
        axis: d3 number format of a value on an axis.
        change_axis: of a change.
        change_tip: of a change beside a point.
        heading: of an axis or a chart.
        change_heading: of those that show its change.
        lacking: why a study may not have measured it.
        needs: what a study has to have for it.
        caveat: what it does not tell, as a sentence; empty where nothing is to be said.
    """

    kind: MeasureKind
    name: str
    title: str
    short: str
    unit: str
    lower_is_better: bool
    neutral: float | None
    bounds: tuple[float, float]
    margin: float
    margin_key: str
    scale: float
    digits: int
    text: str
    change_text: str
    axis: str
    change_axis: str
    change_tip: str
    heading: str
    change_heading: str
    lacking: str
    needs: str
    caveat: str = ""

    def better(self, change: float) -> float:
        """Return a change, or one end of its interval, positive for better."""
        return -change if self.lower_is_better else change

    def amount(self, value: float) -> str:
        """Say how large a value is, without sign and unit; one digit more where it would round to 0."""
        size = abs(self.scale * value)
        return f"{size:.{self.digits + (0 < size < 0.5 * 10.0**-self.digits)}f}"

    def value(self, value: float) -> str:
        """Say a value or an end of an interval, without unit, with a true minus sign."""
        return f"{'−' if value < 0 else ''}{self.amount(value)}"

    def signed(self, change: float) -> str:
        """Say a change, without unit; no change has no sign."""
        return f"{'−' if change < 0 else '+' if change > 0 else ''}{self.amount(change)}"

    def precise(self, value: float) -> str:
        """Say how large a small thing is, such as a spread, with one digit more."""
        return f"{abs(self.scale * value):.{self.digits + 1}f}"

    def verb(self, *, better: bool, plural: bool = False) -> str:
        """Return ``lowers`` or ``raises``, whichever is better, or worse."""
        return ("lower" if better == self.lower_is_better else "raise") + ("" if plural else "s")

    @property
    def improved(self) -> str:
        """Return ``lowered`` or ``raised``, whichever is better."""
        return "lowered" if self.lower_is_better else "raised"

    @property
    def worsened(self) -> str:
        """Return ``raised`` or ``lowered``, whichever is worse."""
        return "raised" if self.lower_is_better else "lowered"

    @property
    def verb_of_itself(self) -> str:
        """Return ``falls`` or ``rises``, whichever is better."""
        return "falls" if self.lower_is_better else "rises"

    @property
    def verb_of_itself_worse(self) -> str:
        """Return ``rises`` or ``falls``, whichever is worse."""
        return "rises" if self.lower_is_better else "falls"


LOSS = Measure(
    MeasureKind.LOSS,
    "loss",
    title="held-out loss",
    short="the loss",
    unit="bits per byte",
    lower_is_better=True,
    neutral=None,
    bounds=(0.0, math.inf),
    margin=0.005,
    margin_key="loss_margin",
    scale=1.0,
    digits=3,
    text=".4f",
    change_text="+.4f",
    axis=".2f",
    change_axis="+.3~f",
    change_tip="+.4f",
    heading="Held-out loss, bits per byte",
    change_heading="Change in held-out loss, bits per byte",
    lacking="the held-out items have no reference responses, so only the language of the answers was"
    " measured",
    needs="held-out items with reference responses",
    caveat="Held-out loss tells how well an arm predicts good responses; a lower loss is not yet a better"
    " answer.",
)
"""Bits for each byte of the reference response."""

FIDELITY = Measure(
    MeasureKind.FIDELITY,
    "fidelity",
    title="the share of answers in the language asked",
    short="that share",
    unit="points of 100",
    lower_is_better=False,
    neutral=None,
    bounds=(0.0, 1.0),
    margin=0.05,
    margin_key="",
    scale=100.0,
    digits=1,
    text=".0%",
    change_text="+.1%",
    axis=".0%",
    change_axis="+.0%",
    change_tip="+.1%",
    heading="Share of answers in the language of the prompt",
    change_heading="Change in the share of answers in the language of the prompt",
    lacking="in some arm and language no answer's language could be told",
    needs="answers whose language can be told",
    caveat="An answer in the language asked for is not yet a good one.",
)
"""1 where the answer is in the language asked for, 0 where it is not; missing where it cannot be told."""

SCORE = Measure(
    MeasureKind.SCORE,
    "score",
    title="the score",
    short="the score",
    unit="points",
    lower_is_better=False,
    neutral=50.0,
    bounds=(0.0, 100.0),
    margin=5.0,
    margin_key="",
    scale=1.0,
    digits=1,
    text=".1f",
    change_text="+.1f",
    axis=".0f",
    change_axis="+.0f",
    change_tip="+.1f",
    heading="Score, 0 to 100",
    change_heading="Change in score, 0 to 100",
    lacking="the answers of these arms were not compared with one opponent's",
    needs="arms that are compared with one opponent",
)
"""Wins 100, ties 50, losses 0, against one opponent."""

LEADING = LOSS
"""The measure that a study's answer is of."""

MEASURES = (LOSS, FIDELITY, SCORE)
"""Those that a study has whatever its tasks."""

_METRICS = {
    "number_match": "answers whose last number is right",
    "exact_match": "answers with exactly the right words",
    "f1": "F1 of words with the right answer",
    "accuracy": "items whose right choice is the likeliest",
    "accuracy_by_length": "items whose right choice is the likeliest per character",
}


def task_measure(task: str, metric: str) -> Measure:
    """Return the measure that one metric of a task is, between 0 and 1."""
    known = _METRICS.get(metric, metric)
    return Measure(
        MeasureKind.TASK,
        f"{task}/{metric}",
        title=f"{task}: {known}",
        short="that share",
        unit="points of 100",
        lower_is_better=False,
        neutral=None,
        bounds=(0.0, 1.0),
        margin=0.05,
        margin_key="",
        scale=100.0,
        digits=1,
        text=".1%",
        change_text="+.1%",
        axis=".0%",
        change_axis="+.0%",
        change_tip="+.1%",
        heading=f"{known[:1].upper()}{known[1:]}",
        change_heading=f"Change in {known}",
        lacking=f"some arm did not do the task {task}",
        needs=f"the task {task}",
    )
