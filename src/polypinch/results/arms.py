"""A finished study's numbers: arrays over (seed, item, language) for each arm, read from its artifacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import numpy as np
import pyarrow as pa

from polypinch.judge import ALL, Orders, OutcomeArrays, Settled, Side, joined, lay_out, outcomes
from polypinch.measure import LOSS, Measure, MeasureKind
from polypinch.mix import amount_text
from polypinch.stats import FEWEST_ITEMS, SHARE, Array, Bounds, Estimate, Scores, intervals, seed_half_width
from polypinch.study import (
    MANIFEST,
    MONOLINGUAL,
    SETTLED,
    UNTUNED,
    Axes,
    Compared,
    Graph,
    Record,
    Stage,
    Store,
    Tuned,
    axes,
    fill,
)

AVERAGES = ("seen", "unseen", "others")
"""Averages over the seen, the unseen, and all languages but the base."""


@dataclass(frozen=True)
class Together(Estimate):
    """An estimate that also has the interval which holds for all languages of its arm together.

    Attributes:
        low_together: lower end; ``None`` for averages, which are no part of the family, and for a language
            with so few items that nothing is concluded on it alone.
        high_together: upper end.
    """

    low_together: float | None = None
    high_together: float | None = None


def together(axes: Axes, found: Scores, arm: int, scale: float = 1.0) -> dict[str, Together]:
    """Return an arm's estimates in each language and group average that was measured.

    Args:
        axes: the axes; ``found`` has a column for each language, then for each group.
        found: of several arms.
        arm: position of the one.
        scale: what to multiply by.
    """
    names = {}
    for column, name in enumerate((*axes.languages, *axes.groups)):
        own, joint = (found.estimate(arm, column, both) for both in (False, True))
        if np.isfinite(own.value):
            enough = own.n_items >= FEWEST_ITEMS
            beyond = (scale * end if enough and np.isfinite(end) else None for end in (joint.low, joint.high))
            ends = (scale * own.value, scale * own.low, scale * own.high)
            names[name] = Together(*ends, own.n_items, own.n_seeds, *beyond)
    return names


def bounds(measure: Measure) -> Bounds | None:
    """Return the ends of a measure's scale, or ``None`` where it has none."""
    return Bounds(*measure.bounds) if np.isfinite(measure.bounds).all() else None


def estimates(
    axes: Axes, values: Array, scale: float = 1.0, ends: Bounds | None = None
) -> dict[str, Together]:
    """Return the mean of each language and of each group average, with intervals.

    Args:
        axes: the axes.
        values: (seeds, items, languages); NaN where a value is missing.
        scale: what to multiply by.
        ends: of the values' scale; ``None`` where it has none.
    """
    return together(axes, intervals(values[None], list(axes.groups.values()), ends), 0, scale)


def shares(axes: Axes, values: Array, scale: float = 1.0) -> dict[str, Together]:
    """Return the same of values between 0 and 1, whose intervals keep to that range and have a width."""
    return estimates(axes, values, scale, SHARE)


@dataclass(frozen=True)
class ArmResults:
    """All that was measured of one arm on one base model.

    Attributes:
        model: the base model's name.
        arm: its name.
        loss: (seeds, items, languages) bits per byte, or ``None`` where references are missing.
        in_language: the same shape: 1, 0, NaN where it abstains or nothing was answered.
        line_pass: line pass rate's parts.
        word_pass: word pass rate's parts.
        outcome: the same shape: 1, 0.5, 0, or ``None`` where nothing is compared.
        flipped: which pairs changed with the order.
        missing: verdicts missing, by language.
        abstained: answers whose language could not be told, by language.
        settled: where adaptive judging left each language, seed by seed; empty where all was judged.
        judged: its comparisons as arrays, or ``None`` where nothing is compared.
        tasks: (seeds, items, languages) by the name of a task's measure, over that task's own axes.
        abstains: (seeds, items, languages): the share of a cell's answers whose language could not be told.
    """

    model: str
    arm: str
    loss: Array | None
    in_language: Array
    line_pass: Array
    word_pass: Array
    outcome: Array | None
    flipped: Array | None
    missing: dict[str, int]
    abstained: dict[str, int]
    settled: tuple[dict[str, Settled], ...] = ()
    judged: OutcomeArrays | None = None
    tasks: Mapping[str, Array] = field(default_factory=dict)
    abstains: Array | None = None

    def values(self, measure: Measure) -> Array | None:
        """Return (seeds, items, languages) of a measure; NaN where a value is missing.

        ``None`` where it was not measured, and of scores that judging left where they were settled:
        resampling does not know where it stopped.
        """
        match measure.kind:
            case MeasureKind.LOSS:
                return self.loss
            case MeasureKind.FIDELITY:
                return self.in_language if np.isfinite(self.in_language).any() else None
            case MeasureKind.SCORE:
                return None if self.outcome is None or self.settled else 100 * self.outcome
            case MeasureKind.TASK:
                return self.tasks.get(measure.name)
        assert_never(measure.kind)

    @property
    def not_asked(self) -> dict[str, int]:
        """Pairs that adaptive judging left out, by language, over all seeds."""
        found: Counter[str] = Counter()
        for one in self.settled:
            found.update({tag: left.not_asked for tag, left in one.items()})
        return dict(found)


def read_arm(
    axes: Axes, store: Store, runs: list[Tuned], compared: list[Compared], orders: Orders = "both"
) -> ArmResults:
    """Read one arm's artifacts over its seeds."""

    def tables(kind: str) -> dict[int | None, pa.Table]:
        return {run.seed: store.read(getattr(run, kind)) for run in runs}

    fidelity = tables("fidelity")
    judged = {_seed(one): outcomes(store.read(one.verdicts), orders) for one in compared}
    missing: Counter[str] = Counter()
    for table in judged.values():
        pairs = zip(table["language"].to_pylist(), table["outcome"].to_pylist(), strict=True)
        missing.update(tag for tag, value in pairs if value is None)
    abstained: Counter[str] = Counter()
    for seed, table in fidelity.items():
        untold = table["in_language"].is_null()
        abstained.update(table.filter(untold)["language"].to_pylist())
        fidelity[seed] = table.append_column("abstains", untold)
    return ArmResults(
        model=runs[0].model,
        arm=runs[0].arm,
        loss=fill(axes, tables("loss"), "bits_per_byte") if runs[0].loss is not None else None,
        in_language=fill(axes, fidelity, "in_language"),
        line_pass=fill(axes, fidelity, "line_pass"),
        word_pass=fill(axes, fidelity, "word_pass"),
        outcome=fill(axes, judged, "outcome") if judged else None,
        flipped=fill(axes, judged, "flipped") if judged else None,
        missing=dict(missing),
        abstained=dict(abstained),
        abstains=fill(axes, fidelity, "abstains"),
        settled=tuple(left for one in compared if (left := _read_settled(store, one.verdicts))),
        judged=lay_out([_side(store, one) for one in compared], axes.items, axes.languages, orders)
        if compared
        else None,
    )


def _seed(compared: Compared) -> int | None:
    """Return the seed of what was compared, the arm's or its opponents'."""
    seeds = {compared.arm.seed, *(other.seed for other in compared.others)} - {None}
    return next(iter(seeds), None)


def _side(store: Store, compared: Compared) -> Side:
    def fidelity(runs: Iterable[Tuned]) -> dict[tuple[str, str], float]:
        """Return the share of samples in the right language; those that cannot be told are left out."""
        samples: dict[tuple[str, str], list[float]] = {}
        for run in runs:
            table = store.read(run.fidelity)
            columns = [table[name].to_pylist() for name in ("item_id", "language", "in_language")]
            for item, tag, flag in zip(*columns, strict=True):
                if flag is not None and tag in run.evaluated:
                    samples.setdefault((item, tag), []).append(float(flag))
        return {key: sum(flags) / len(flags) for key, flags in samples.items()}

    verdicts = store.read(compared.verdicts)
    return Side(verdicts, fidelity([compared.arm]), fidelity(compared.others))


def _read_settled(store: Store, verdicts: Stage) -> dict[str, Settled]:
    left = store.read_json(verdicts, SETTLED) or {}
    return {tag: Settled.from_dict(found) for tag, found in left.items()}


def scores(axes: Axes, result: ArmResults) -> dict[str, Together]:
    """Return an arm's scores, 0 to 100, by language, group average and over ``all``, with intervals.

    After adaptive judging the intervals are those of :func:`~polypinch.judge.adaptive.joined`, as resampling
    does not know where judging stopped.
    """
    if result.outcome is None:
        return {}
    every = {ALL: list(range(len(axes.languages)))}
    if not result.settled:
        return shares(replace(axes, groups=axes.groups | every), result.outcome, 100.0)
    where = {tag: [index] for index, tag in enumerate(axes.languages)} | axes.groups | every
    found = {}
    for name, columns in where.items():
        tags = [axes.languages[index] for index in columns]
        of_seeds = seed_half_width(result.outcome[:, :, columns])
        one = joined([one[tag] for one in result.settled for tag in tags], len(axes.seeds), of_seeds)
        if np.isfinite(one.value):
            # All of a study's confidence sequences hold together; Student's part over seeds does not.
            joint = name in axes.languages and not of_seeds
            ends = (one.low, one.high) if joint else (None, None)
            found[name] = Together(one.value, one.low, one.high, one.n_items, one.n_seeds, *ends)
    return found


def stacked(arms: Sequence[ArmResults], measure: Measure) -> Array | None:
    """Return a measure as (arms, seeds, items, languages); ``None`` where an arm was not measured.

    An arm without seeds is repeated over them. Where a measure has a neutral value, the one arm that lacks it
    is the opponent of the others, which is even with itself wherever they were compared with it.
    """
    values = [arm.values(measure) for arm in arms]
    measured = [one for one in values if one is not None]
    lacking = len(values) - len(measured)
    even = measure.neutral
    if not measured or lacking > (even is not None):
        return None
    seeds = max(len(one) for one in measured)
    whole = [np.broadcast_to(one, (seeds, *one.shape[1:])) for one in measured]
    if even is not None and lacking:
        there = np.isfinite(np.stack(whole)).any(axis=0)
        whole.insert(values.index(None), np.where(there, even, np.nan))
    return np.stack(whole)


def changes(
    axes: Axes, baseline: ArmResults, arms: Sequence[ArmResults], measure: Measure = LOSS
) -> dict[str, dict[str, Together]]:
    """Return by arm the paired change of a measure from the baseline's; the baseline is left out."""
    others = [arm for arm in arms if arm.values(measure) is not None and arm.arm != baseline.arm]
    values = stacked([baseline, *others], measure) if others else None
    if values is None:
        return {}
    scale = bounds(measure)
    ends = None if scale is None else scale.difference()
    differences = intervals(values - values[0], list(axes.groups.values()), ends)
    return {arm.arm: together(axes, differences, at) for at, arm in enumerate(others, start=1)}


def read_results(inputs: Record, graph: Graph, store: Store) -> list[ArmResults]:
    """Read every arm of a finished study, the untuned base first; the monolingual ones stay apart."""
    shared = axes(inputs)
    found = []
    orders: Orders = inputs.judge.orders
    for model in inputs.study.models:
        for arm in (UNTUNED, *(arm.name for arm in inputs.study.arms)):
            runs = [run for run in graph.tuned if run.model == model and run.arm == arm]
            compared = [one for one in graph.compared if one.arm.model == model and one.arm.arm == arm]
            found.append(read_arm(shared, store, runs, compared, orders))
    return found


def mixture_lines(inputs: Record, graph: Graph, store: Store) -> list[dict[str, Any]]:
    """Return the manifests' lines, requested against delivered, of the first seed and model."""
    lines = []
    for run in graph.tuned:
        first = run.seed == inputs.study.seeds[0] and run.model == inputs.study.models[0]
        if run.mixture is None or not first or run.arm.startswith(f"{MONOLINGUAL}-"):
            continue
        manifest = store.read_json(run.mixture, MANIFEST)
        for line in manifest["languages"]:
            requested = line["requested"]
            amount, unit = (requested["amount"], requested["unit"]) if requested else (None, None)
            asked = "the rest" if amount is None else f"{amount_text(amount)} {unit}"
            exact = {"requested_amount": amount, "requested_unit": unit}
            sources = ", ".join(f"{name} ({count})" for name, count in line.get("sources", {}).items())
            lines.append({"arm": run.arm, **line, "requested": asked, **exact, "sources": sources})
    return lines
