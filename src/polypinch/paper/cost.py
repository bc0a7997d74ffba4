"""What a study would cost, by its pre-flight, without loading a model's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polypinch.study import Store, Study, build, open_inputs, preflight


@dataclass(frozen=True)
class Cost:
    """A study's size.

    Attributes:
        arms: training conditions, those that the study adds as opponents included.
        seeds: of each.
        tunings: tunings, those that are shared counted once.
        tokens: ``tuned`` on over all epochs, ``scored`` for the loss, at most ``drawn`` in answers.
        seconds: at a stated speed, or ``None``.
        problems: what the pre-flight says: level, place, message.
    """

    arms: int
    seeds: int
    tunings: int
    tokens: dict[str, int]
    seconds: float | None
    problems: tuple[str, ...]


def estimate_cost(study: Study, tokens_per_second: float | None = None) -> Cost:
    """Estimate a study's cost; nothing is written, no weights are loaded.

    Args:
        study: the study.
        tokens_per_second: a speed for all tokens alike, tuned on, scored and drawn. They differ in truth:
            ``polypinch check`` times them apart.

    Raises:
        PinchError: the study cannot be run, with the numbers; or its model or pool cannot be had.
    """
    inputs = open_inputs(study)
    found = preflight(inputs, Path(), time_it=False)
    tunings = [stage for stage in build(inputs, Store(Path())).stages() if stage.kind == "tune"]
    seconds = sum(found.tokens.values()) / tokens_per_second if tokens_per_second else None
    problems = tuple(f"{one.level}: {one.where}: {one.message}" for one in found.problems)
    return Cost(len(found.mixtures), len(study.seeds), len(tunings), found.tokens, seconds, problems)
