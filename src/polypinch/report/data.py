"""What a report shows, already measured: plain values, no files, no arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from polypinch.measure import LOSS, Measure
from polypinch.report.conclusion import Conclusion
from polypinch.report.estimates import (
    ArmChange,
    ArmEstimate,
    ArmFidelity,
    ArmScore,
    CurvePoint,
    DoseTest,
    JudgeShare,
    SeedNoise,
    TaskScore,
)
from polypinch.report.part import Exports, Part
from polypinch.report.steps import Step

UNTUNED = "untuned"
"""The name of the arm that stands for the base model before any tuning."""

GROUPS = ("base", "seen", "unseen")
AVERAGES = ("seen", "unseen", "others")

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ArmInfo:
    """One arm, in the words of its delivered mixture.

    Attributes:
        name: its name in the study; the untuned base model is ``untuned``, with no rows.
        dose_examples: delivered rows that are not in the base language.
        dose_share: the same, as a share of all delivered rows (0 to 1).
        rows: all delivered rows.
        is_baseline: whether it is a tuned arm without a dose.
        label: its dose in words, e.g. ``8 of 96``.
    """

    name: str
    dose_examples: int
    dose_share: float
    rows: int
    is_baseline: bool
    label: str


@dataclass(frozen=True)
class LanguageInfo:
    """One evaluated language.

    Attributes:
        tag: BCP-47 tag.
        name: its English name.
        autonym: its own name.
        direction: ``ltr`` or ``rtl``.
        group: ``base``, ``seen`` (dosed in some arm) or ``unseen``.
    """

    tag: str
    name: str
    autonym: str
    direction: str
    group: str


@dataclass(frozen=True)
class Sample:
    """One held-out prompt in one language with what each arm answered.

    Attributes:
        item_id: the item; its translations share it.
        language: the tag of the prompt's language.
        prompt: the prompt's text.
        reference: the reference response, or ``None``.
        answers: the answer's text by arm.
        in_language: by arm, whether the answer is in the prompt's language; ``None`` where it can't be told.
    """

    item_id: str
    language: str
    prompt: str
    reference: str | None
    answers: dict[str, str]
    in_language: dict[str, bool | None]


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows.

    Any of its tables may be empty: that was not measured. What a row holds is said with its class.

    Attributes:
        title: the study's name.
        models: base models' names.
        answer: the study's answer, the plain sentence first.
        conclusions: the same at a glance, of each base model: its verdict, and endpoints dose by dose.
        details: what it stands on: what each line is about, and the line.
        caveats: what the numbers cannot tell.
        arms: in order of dose, the untuned base first.
        languages: evaluated languages.
        scores: against one opponent.
        judge: what scores hang on, by language and over ``all``.
        fidelity: the share of answers in the language of their prompt.
        loss: bits per byte of the reference responses.
        loss_change: its paired change against the baseline arm; negative is better.
        tasks: of each task and metric.
        noise: the spread between seeds of one arm; empty with one seed: unknown.
        leading: the measure that the answer, ``doses`` and ``curves`` are of.
        doses: the tests of doses in the order made.
        curves: changes over the dose, measured and fitted; empty below three doses.
        findings: the answer for machines, JSON-able; written beside the page.
        mixtures: ``arm``, ``language``, ``requested`` (in words, and as ``requested_amount`` and
            ``requested_unit``: ``None`` for the rest), ``examples``, ``share``, ``tokens``,
            ``supervised_tokens``, ``truncated``, ``duplicates``.
        samples: answers to show side by side.
        settings: how the study was run, JSON-able: what differs from the defaults.
        defaults: the same in full; what ``settings`` has is not shown again.
        versions: of the packages that made the steps; of several, all.
        steps: what made each finished step.
        parts: finished parts of the page on what the arms show beyond doses, in its order.
        exports: the files that such parts may have: those that an earlier report left are removed.
    """

    title: str
    models: list[str]
    answer: str
    caveats: list[str]
    arms: list[ArmInfo]
    languages: list[LanguageInfo]
    conclusions: list[Conclusion] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)
    scores: list[ArmScore] = field(default_factory=list)
    judge: list[JudgeShare] = field(default_factory=list)
    fidelity: list[ArmFidelity] = field(default_factory=list)
    loss: list[ArmEstimate] = field(default_factory=list)
    loss_change: list[ArmChange] = field(default_factory=list)
    tasks: list[TaskScore] = field(default_factory=list)
    noise: list[SeedNoise] = field(default_factory=list)
    leading: Measure = LOSS
    doses: list[DoseTest] = field(default_factory=list)
    curves: list[CurvePoint] = field(default_factory=list)
    findings: dict[str, Any] = field(default_factory=dict)
    mixtures: Rows = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    exports: Exports = field(default_factory=Exports)
