"""What a study would cost, by its pre-flight, without loading a model's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polypinch.study import Speed, Spending, Store, Study, build, open_inputs, preflight


@dataclass(frozen=True)
class Cost:
    """A study's size.

    Attributes:
        arms: training conditions, those that the study adds as opponents included.
        seeds: of each.
        tunings: tunings, those that are shared counted once.
        tokens: ``tuned`` on over all epochs, ``scored`` for the loss, at most ``drawn`` in answers.
        seconds: at a stated speed, or ``None``.
        spending: the same in hours of one device, and in money, for each kind of work.
        problems: what the pre-flight says: level, place, message.
    """

    arms: int
    seeds: int
    tunings: int
    tokens: dict[str, int]
    seconds: float | None
    spending: Spending | None
    problems: tuple[str, ...]


def estimate_cost(study: Study, speed: Speed | None = None, price_per_hour: float | None = None) -> Cost:
    """Estimate a study's cost; nothing is written, no weights are loaded.

    Args:
        study: the study.
        speed: of one device; ``polypinch check`` times yours.
        price_per_hour: dollars that an hour of it costs.

    Raises:
        PinchError: the study cannot be run, with the numbers; or its model or pool cannot be had.
    """
    inputs = open_inputs(study)
    found = preflight(inputs, Path(), time_it=False)
    tunings = [stage for stage in build(inputs, Store(Path())).stages() if stage.kind == "tune"]
    each = speed.seconds(found.tokens) if speed else None
    spending = Spending.of(each, price_per_hour) if each else None
    problems = tuple(f"{one.level}: {one.where}: {one.message}" for one in found.problems)
    seconds = sum(each.values()) if each else None
    counts = len(found.mixtures), len(study.seeds), len(tunings)
    return Cost(*counts, found.tokens, seconds, spending, problems)
