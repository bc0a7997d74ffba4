"""What a study makes of one model under one condition, and what it compares with it."""

from __future__ import annotations

from dataclasses import dataclass

from polypinch.study.store import Stage


@dataclass(frozen=True)
class Tuned:
    """One model under one condition and seed, with all that is made of it.

    Attributes:
        model: the base model whose arms it stands among; the arm may be tuned from another one.
        arm: the arm's name; ``untuned``, or ``monolingual-xx``, where the study made it.
        seed: the training seed; ``None`` for the untuned base.
        evaluated: the languages it is evaluated in.
        mixture: what it was tuned on.
        checkpoint: the tuning.
        loss: its held-out loss.
        answers: its answers.
        fidelity: in which language they are.
        tasks: its scores on each of the study's tasks, in their order.
    """

    model: str
    arm: str
    seed: int | None
    evaluated: tuple[str, ...]
    mixture: Stage | None
    checkpoint: Stage | None
    loss: Stage | None
    answers: Stage
    fidelity: Stage
    tasks: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Compared:
    """One arm's verdicts against another.

    Attributes:
        arm: whose score it is.
        against: what the study compares with.
        others: whose answers those are; in each language one.
        verdicts: the stage.
    """

    arm: Tuned
    against: str
    others: tuple[Tuned, ...]
    verdicts: Stage
