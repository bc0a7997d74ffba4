"""How a study was made, step by step, and the same in a few lines: what made it, not what drew the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One finished step of a study, as its artifact says it was made.

    Attributes:
        kind: what it made: a mixture, a tuning, answers and so on.
        name: of the artifact.
        model: the base model that it is of; empty where it is of none.
        arm: the arm; empty where it is of none.
        seed: the training seed; ``None`` where there is none.
        device: what computed it; empty where no model ran.
        dtype: in which precision; empty where no model ran.
        versions: of polypinch, Python and the packages that made it, in words.
        host: the machine's name.
        started: when, in UTC.
        seconds: how long its last run took.
        path: where the artifact lies, from the study's folder where it lies inside.
    """

    kind: str
    name: str
    model: str
    arm: str
    seed: int | None
    device: str
    dtype: str
    versions: str
    host: str
    started: str
    seconds: float
    path: str


@dataclass(frozen=True)
class Made:
    """Steps of one kind that were made alike.

    Attributes:
        kind: what they made.
        steps: how many.
        device: what computed them.
        dtype: in which precision.
        versions: of what made them, in words.
        host: the machine's name.
        seconds: all of them together.
    """

    kind: str
    steps: int
    device: str
    dtype: str
    versions: str
    host: str
    seconds: float

    @property
    def time(self) -> str:
        """Say how long they took."""
        minutes, seconds = divmod(round(self.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours} h {minutes} min"
        return f"{minutes} min {seconds} s" if minutes else f"{self.seconds:.1f} s"


def made(steps: Sequence[Step]) -> list[Made]:
    """Return how steps were made, a line for each kind, machine and set of versions."""
    alike: dict[tuple[str, ...], list[Step]] = {}
    for step in steps:
        key = (step.kind, step.device, step.dtype, step.versions, step.host)
        alike.setdefault(key, []).append(step)
    return [
        Made(kind, len(own), device, dtype, versions, host, sum(step.seconds for step in own))
        for (kind, device, dtype, versions, host), own in alike.items()
    ]
