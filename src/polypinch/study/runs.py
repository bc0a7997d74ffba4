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


@dataclass(frozen=True)
class Looking:
    """A look of a search.

    Attributes:
        model: the base model whose doses are searched.
        number: from 1.
        stage: what it saw and decided.
    """

    model: str
    number: int
    stage: Stage


@dataclass(frozen=True)
class Graph:
    """All stages of a study.

    Attributes:
        tuned: models under their conditions.
        compared: comparisons.
        looks: of an adaptive design those made, and the one under way.
        steps: while a search goes on, the stages that it is known to take; ``None`` otherwise.
    """

    tuned: tuple[Tuned, ...]
    compared: tuple[Compared, ...]
    looks: tuple[Looking, ...] = ()
    steps: tuple[Stage, ...] | None = None

    def stages(self) -> list[Stage]:
        """Return every stage once, each after what it needs; while a search goes on, those known by now."""
        if self.steps is not None:
            return list({stage.fingerprint: stage for stage in self.steps}.values())
        ordered: dict[str, Stage] = {}
        for tuned in self.tuned:
            for stage in (tuned.mixture, tuned.checkpoint, tuned.loss, tuned.answers, tuned.fidelity):
                if stage is not None:
                    ordered.setdefault(stage.fingerprint, stage)
            for stage in tuned.tasks:
                ordered.setdefault(stage.fingerprint, stage)
        for compared in self.compared:
            ordered.setdefault(compared.verdicts.fingerprint, compared.verdicts)
        for look in self.looks:
            ordered.setdefault(look.stage.fingerprint, look.stage)
        return list(ordered.values())
