"""A study as stages in the order of their needs; every name and fingerprint is known before any work."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from polypinch.answer import Sampling, answer, open_engine
from polypinch.fidelity import FIDELITY_METHOD, fidelity_table
from polypinch.mix import MixPlan
from polypinch.models import Precision, choose_dtype, used
from polypinch.study.artifacts import FIDELITY, LOSS, MANIFEST, MIXTURE, Kind
from polypinch.study.inputs import Inputs, fidelity_candidates
from polypinch.study.run_names import tracked_run
from polypinch.study.runs import Compared, Graph, Tuned
from polypinch.study.spec import MONOLINGUAL, UNTUNED, Arm
from polypinch.study.store import Stage, Store
from polypinch.study.verdicts import comparisons
from polypinch.tasks import TaskSet, run_task
from polypinch.tune import Base, TuneRecipe, heldout_loss, tune


class _Bases:
    """Keeps one base model in memory; a study goes through its base models one after another."""

    def __init__(self) -> None:
        self._key: tuple[str, torch.dtype] | None = None
        self._base: Base | None = None

    def get(self, inputs: Inputs, model: str, precision: Precision) -> Base:
        key = (model, choose_dtype(precision))
        if self._base is None or self._key != key:
            if self._base is not None:
                self._base.release()
            self._key, self._base = key, Base(inputs.models[model], precision)
        return self._base


def build(inputs: Inputs, store: Store) -> Graph:
    """Lay out a study's stages. Nothing is run or written."""
    study = inputs.study
    bases = _Bases()
    tuned: list[Tuned] = []
    compared: list[Compared] = []
    for model in study.models:
        builder = _Builder(inputs, store, model, bases)
        untuned = builder.tuned(None, None, study.evaluated)
        arms = []
        # One base model after another, so that each is loaded once.
        for name in dict.fromkeys((None, *(arm.model for arm in study.arms))):
            own = builder if name is None else _Builder(inputs, store, name, bases, shown=model)
            mine = [arm for arm in study.arms if arm.model == name]
            arms += [own.tuned(arm, seed, study.evaluated) for seed in study.seeds for arm in mine]
        mono: list[Tuned] = []
        if study.comparison.against == MONOLINGUAL and inputs.is_compared:
            mono = [
                _or_twin(builder.tuned(arm, seed, (tag,), with_tasks=False), arms)
                for seed in study.seeds
                for arm, tag in zip(study.monolingual, study.evaluated, strict=True)
            ]
        tuned += [untuned, *arms, *mono]
        if inputs.is_compared:
            compared += comparisons(inputs, store, [untuned, *arms], mono)
    return Graph(tuple(tuned), tuple(compared))


def _or_twin(opponent: Tuned, arms: list[Tuned]) -> Tuned:
    """Let an arm of the same tuning answer for a monolingual opponent, so that it is even with itself.

    In bf16 the same model may answer otherwise beside other prompts.
    """
    assert opponent.checkpoint is not None
    for arm in arms:
        if arm.checkpoint is not None and arm.checkpoint.fingerprint == opponent.checkpoint.fingerprint:
            return replace(opponent, loss=arm.loss, answers=arm.answers, fidelity=arm.fidelity)
    return opponent


class _Builder:
    """Makes the stages of one base model, shown among the arms of the same or another one."""

    def __init__(
        self, inputs: Inputs, store: Store, model: str, bases: _Bases, shown: str | None = None
    ) -> None:
        self.inputs, self.store, self.model, self.bases = inputs, store, model, bases
        self.shown = shown or model
        self.study = inputs.study
        self.base = inputs.models[model]
        self.chat = inputs.chats[model]
        self.identity = {"model": self.base.fingerprint, "chat": self.chat.fingerprint}

    def tuned(
        self, arm: Arm | None, seed: int | None, evaluated: tuple[str, ...], with_tasks: bool = True
    ) -> Tuned:
        name = arm.name if arm else UNTUNED
        about = {"model": self.shown, "arm": name, "seed": seed}
        mixture = checkpoint = loss = None
        recipe = self.study.recipe(arm) if arm else self.study.tuning
        label = name if seed is None else f"{name}-s{seed}"
        if arm is not None and seed is not None:
            mixture = self._mixture(self.study.plan(arm, seed), recipe, label, about)
            checkpoint = self._tune(mixture, recipe, seed, label, about)
        if self.inputs.has_references:
            loss = self._loss(checkpoint, recipe, evaluated, label, about)
        answers = self._answers(checkpoint, recipe, evaluated, label, about)
        fidelity = self._fidelity(answers, label, about)
        chosen = self.inputs.tasks if with_tasks else ()
        tasks = tuple(self._task(one, checkpoint, recipe, label, about) for one in chosen)
        return Tuned(self.shown, name, seed, evaluated, mixture, checkpoint, loss, answers, fidelity, tasks)

    def _mixture(self, plan: MixPlan, recipe: TuneRecipe, label: str, about: dict[str, Any]) -> Stage:
        def work(directory: Path) -> None:
            mixture = self.inputs.mixture(self.model, plan, recipe.max_length)
            MIXTURE.write(directory, mixture.table)
            MANIFEST.write(directory, mixture.manifest)

        spec = {
            "plan": plan.identity(exclude={"pool", "heldout"}),
            "pool": self.inputs.pool.fingerprint,
            "heldout": self.inputs.heldout_fingerprint,
            "max_length": recipe.max_length,
            **self.identity,
        }
        return Stage.of(Kind.MIXTURE, label, spec, (), work, about)

    def _tune(
        self, mixture: Stage, recipe: TuneRecipe, seed: int, label: str, about: dict[str, Any]
    ) -> Stage:
        development = self.inputs.development

        def work(directory: Path) -> None:
            rows = self.store.read(mixture)
            base = self._loaded(recipe.precision)
            if recipe.method == "full" or recipe.quantization != base.quantization:
                base.release()
            run = tracked_run(self.study, self.shown, about["arm"], seed, stage.fingerprint, recipe)
            tune(rows, self.base, recipe, seed, directory, development, f"tune {label}", base, self.chat, run)

        spec = {
            "recipe": recipe.identity(exclude={"report_to"}),
            "seed": seed,
            "development": self.inputs.development_fingerprint,
            **self.identity,
        }
        stage = Stage.of(Kind.TUNE, label, spec, (mixture,), work, about, partial(used, recipe.precision))
        return stage

    def _loaded(self, precision: Precision) -> Base:
        return self.bases.get(self.inputs, self.model, precision)

    def _checkpoint(self, stage: Stage | None) -> Path | None:
        return None if stage is None else self.store.verified(stage)

    def _loss(
        self,
        checkpoint: Stage | None,
        recipe: TuneRecipe,
        tags: tuple[str, ...],
        label: str,
        about: dict[str, Any],
    ) -> Stage:
        rows = partial(self.inputs.heldout_in, tags)

        def work(directory: Path) -> None:
            model = self._loaded(recipe.precision).tuned(self._checkpoint(checkpoint))
            table = heldout_loss(model, self.chat, rows(), recipe.micro_tokens, f"loss {label}")
            LOSS.write(directory, table)

        spec = {
            "rows": self.inputs.rows_fingerprint("heldout", tags),
            "precision": recipe.precision,
            **self.identity,
        }
        needs = (checkpoint,) if checkpoint else ()
        return Stage.of(Kind.LOSS, label, spec, needs, work, about, partial(used, recipe.precision))

    def _answers(
        self,
        checkpoint: Stage | None,
        recipe: TuneRecipe,
        tags: tuple[str, ...],
        label: str,
        about: dict[str, Any],
    ) -> Stage:
        rows = partial(self.inputs.answered_in, tags)
        sampling = self.study.answering

        def work(directory: Path) -> None:
            tuned = self._checkpoint(checkpoint)
            engine = open_engine(
                sampling,
                self.base,
                tuned,
                self.chat,
                lambda: self._loaded(sampling.precision).tuned(tuned),
            )
            answer(rows(), engine, self.chat, sampling, directory, label=f"answer {label}")

        spec = {
            "rows": self.inputs.rows_fingerprint("answered", tags),
            "sampling": sampling.identity(),
            **self.identity,
        }
        needs = (checkpoint,) if checkpoint else ()
        return Stage.of(Kind.ANSWERS, label, spec, needs, work, about, partial(used, sampling.precision))

    def _fidelity(self, answers: Stage, label: str, about: dict[str, Any]) -> Stage:
        candidates = fidelity_candidates(self.study)

        def work(directory: Path) -> None:
            table = self.store.read(answers)
            found = fidelity_table(table["text"].to_pylist(), table["language"].to_pylist(), candidates)
            for name in ("item_id", "language", "sample"):
                found = found.append_column(name, table[name])
            FIDELITY.write(directory, found)

        spec = {"candidates": candidates, "method": FIDELITY_METHOD}
        return Stage.of(Kind.FIDELITY, label, spec, (answers,), work, about)

    def _task(
        self, tasks: TaskSet, checkpoint: Stage | None, recipe: TuneRecipe, label: str, about: dict[str, Any]
    ) -> Stage:
        answering = self.study.answering
        precision = recipe.precision if tasks.is_choice else answering.precision
        sampling = Sampling(
            max_new_tokens=tasks.task.longest or 1,
            batch_tokens=answering.batch_tokens,
            precision=answering.precision,
        )

        def work(directory: Path) -> None:
            model = self._loaded(precision).tuned(self._checkpoint(checkpoint))
            name = f"{tasks.name} {label}"
            run_task(tasks, model, self.chat, sampling, directory, recipe.micro_tokens, name)

        spec = {
            "task": tasks.fingerprint,
            "metrics": sorted(tasks.metrics),
            "sampling": None if tasks.is_choice else sampling.identity(),
            "precision": precision,
            **self.identity,
        }
        needs = (checkpoint,) if checkpoint else ()
        about = {**about, "task": tasks.name}
        return Stage.of(
            Kind.TASK, f"{tasks.name}-{label}", spec, needs, work, about, partial(used, precision)
        )
