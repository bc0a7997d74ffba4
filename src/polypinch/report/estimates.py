"""The rows of a report's tables. Their columns, in this order, are these fields; what is not known is empty.

A language is a tag, or ``seen``, ``unseen``, ``others`` for an average over languages that are not the base.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArmEstimate:
    """What was measured of an arm in a language: held-out loss in bits per byte, in ``loss.csv``.

    Attributes:
        model: the base model.
        arm: the arm.
        language: a tag, or an average.
        value: the estimate.
        low: lower end of its 95 % interval.
        high: upper end.
        n_items: held-out items behind it.
        n_seeds: training seeds behind it.
    """

    model: str
    arm: str
    language: str
    value: float
    low: float
    high: float
    n_items: int = 0
    n_seeds: int = 0


@dataclass(frozen=True)
class ArmChange(ArmEstimate):
    """A paired change from the arm without a dose, with the measure's sign, in ``loss_change.csv``.

    Attributes:
        low_together: lower end of the interval that holds for all languages of an arm at once; empty for
            averages, and where there are too few items.
        high_together: its upper end.
    """

    low_together: float | None = None
    high_together: float | None = None


@dataclass(frozen=True)
class ArmScore(ArmChange):
    """A score against an opponent, 0 to 100, 50 is parity, in ``scores.csv``.

    Attributes:
        against: the opponent.
        flip_rate: pairs whose winner changed with the order, 0 to 1.
        missing: verdicts that are missing.
        not_asked: pairs that adaptive judging left out, which are not missing.
    """

    against: str = ""
    flip_rate: float | None = None
    missing: int = 0
    not_asked: int = 0


@dataclass(frozen=True)
class ArmFidelity(ArmEstimate):
    """The share of answers in the language of their prompt, 0 to 1, in ``fidelity.csv``.

    Attributes:
        line_pass: answers of which every line is in that language, 0 to 1.
        word_pass: answers without a word of another script, 0 to 1.
        abstained: answers whose language could not be told; empty for averages.
        abstained_share: of all answers, 0 to 1.
        if_wrong: the share if all of those were in another language.
        if_right: the share if all of them were in the language asked for.
    """

    line_pass: float | None = None
    word_pass: float | None = None
    abstained: int | None = None
    abstained_share: float | None = None
    if_wrong: float | None = None
    if_right: float | None = None


@dataclass(frozen=True)
class JudgeShare:
    """What an arm's score hangs on, 0 to 100, in ``judge.csv``.

    Attributes:
        model: the base model.
        arm: the arm.
        language: a tag, or ``all``.
        measure: ``score``, ``length_controlled``, ``both_right``, ``wrong_language_losses``, ``flips``,
            ``firsts`` or ``longer``.
        value: the estimate.
        low: lower end of its 95 % interval.
        high: upper end.
        n_items: held-out items behind it.
        n_seeds: training seeds behind it.
    """

    model: str
    arm: str
    language: str
    measure: str
    value: float
    low: float
    high: float
    n_items: int
    n_seeds: int


@dataclass(frozen=True)
class SeedNoise:
    """How far two trainings of one arm lie apart, in the measure's unit, in ``noise.csv``.

    Attributes:
        model: the base model.
        measure: ``loss``, ``fidelity`` or ``score``.
        language: a tag, or an average.
        spread: one standard deviation.
        low: lower end of its 95 % interval.
        high: upper end.
        training: the part of it that more items would not take away.
        freedom: degrees of freedom.
    """

    model: str
    measure: str
    language: str
    spread: float
    low: float
    high: float
    training: float
    freedom: float


@dataclass(frozen=True)
class DoseTest:
    """A test of a dose by the leading measure, in the order made, in ``doses.csv``.

    Attributes:
        model: the base model.
        language: an average.
        question: ``effective``, better than none, or ``within margin`` of the largest.
        against: ``none`` or ``largest``.
        dose: training examples in other languages.
        arm: the arm.
        value: the change, with the measure's sign.
        low: lower end of its 95 % interval.
        high: upper end.
        n_items: held-out items behind it.
        n_seeds: training seeds behind it.
        told: whether this dose is itself told.
        smallest: whether it is the smallest of those.
        harms: whether it is told to be worse than none.
        needed_effect: an effect that could be told,
        needed_items: with so many items,
        needed_seeds: or so many seeds.
    """

    model: str
    language: str
    question: str
    against: str
    dose: int
    arm: str
    value: float
    low: float
    high: float
    n_items: int
    n_seeds: int
    told: bool
    smallest: bool
    harms: bool
    needed_effect: float | None
    needed_items: int | None
    needed_seeds: int | None


@dataclass(frozen=True)
class CurvePoint:
    """A change of the leading measure from no dose, measured or on a curve, in ``curves.csv``.

    Attributes:
        model: the base model.
        language: an average.
        curve: ``measured``, ``isotonic`` or ``saturating``.
        dose: training examples in other languages.
        value: the change, with the measure's sign.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    model: str
    language: str
    curve: str
    dose: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class TaskScore:
    """How an arm does a task by a metric, 0 to 1, in ``tasks.csv``.

    Attributes:
        model: the base model.
        task: its name.
        metric: which.
        arm: the arm.
        language: a tag, or an average.
        value: the estimate.
        low: lower end of its 95 % interval.
        high: upper end.
        n_items: items behind it.
        n_seeds: training seeds behind it.
        against: the arm that it is paired with.
        change: the paired change from that arm.
        change_low: lower end of its 95 % interval.
        change_high: upper end.
        chance: what guessing finds, where that is known.
        source: who scored it.
    """

    model: str
    task: str
    metric: str
    arm: str
    language: str
    value: float
    low: float
    high: float
    n_items: int
    n_seeds: int
    against: str | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    chance: float | None = None
    source: str = "polypinch"


ROWS: dict[str, type] = {
    "scores": ArmScore,
    "judge": JudgeShare,
    "fidelity": ArmFidelity,
    "loss": ArmEstimate,
    "loss_change": ArmChange,
    "noise": SeedNoise,
    "doses": DoseTest,
    "curves": CurvePoint,
    "tasks": TaskScore,
}
"""By the name of its CSV file: what a row of a table is."""
