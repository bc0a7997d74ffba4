"""A study as stages in the order of their needs; every name and fingerprint is known before any work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from polypinch.answer import Sampling, TransformersEngine, answer
from polypinch.fidelity import fidelity_table
from polypinch.files import read_table, write_json, write_table
from polypinch.languages import language
from polypinch.mix import MixPlan
from polypinch.models import Precision, choose_dtype, device
from polypinch.study.inputs import Inputs, fidelity_candidates, table_fingerprint
from polypinch.study.runs import Compared, Tuned
from polypinch.study.spec import MONOLINGUAL, UNTUNED, Arm
from polypinch.study.store import Stage, Store
from polypinch.study.verdicts import comparisons
from polypinch.tasks import TaskSet, run_task
from polypinch.tune import Base, TuneRecipe, heldout_loss, tune


@dataclass(frozen=True)
class Graph:
    """All stages of a study.

    Attributes:
        tuned: models under their conditions.
        compared: comparisons.
    """

    tuned: tuple[Tuned, ...]
    compared: tuple[Compared, ...]

    def stages(self) -> list[Stage]:
        """Return every stage once, each after what it needs."""
        ordered: dict[str, Stage] = {}
        for tuned in self.tuned:
            for stage in (tuned.mixture, tuned.checkpoint, tuned.loss, tuned.answers, tuned.fidelity):
                if stage is not None:
                    ordered.setdefault(stage.fingerprint, stage)
            for stage in tuned.tasks:
                ordered.setdefault(stage.fingerprint, stage)
        for compared in self.compared:
            ordered.setdefault(compared.verdicts.fingerprint, compared.verdicts)
        return list(ordered.values())


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
            write_table(directory / "mixture.parquet", mixture.table)
            write_json(directory / "manifest.json", mixture.manifest)

        spec = {
            "plan": plan.model_dump(mode="json", exclude={"pool", "heldout"}),
            "pool": self.inputs.pool.fingerprint,
            "heldout": self.inputs.heldout_fingerprint,
            "max_length": recipe.max_length,
            **self.identity,
        }
        return Stage("mixture", label, spec, (), work, about)

    def _tune(
        self, mixture: Stage, recipe: TuneRecipe, seed: int, label: str, about: dict[str, Any]
    ) -> Stage:
        development = self.inputs.development

        def work(directory: Path) -> None:
            rows = read_table(self.store.path(mixture) / "mixture.parquet")
            base = self._loaded(recipe.precision)
            if recipe.method == "full" or recipe.quantization != base.quantization:
                base.release()
            tune(rows, self.base, recipe, seed, directory, development, f"tune {label}", base, self.chat)

        spec = {
            "recipe": recipe.model_dump(mode="json", exclude={"report_to"}),
            "seed": seed,
            "dtype": str(choose_dtype(recipe.precision)),
            "device": device().type,
            "development": table_fingerprint(development) if development is not None else None,
            **self.identity,
        }
        return Stage("tune", label, spec, (mixture,), work, about)

    def _loaded(self, precision: Precision) -> Base:
        return self.bases.get(self.inputs, self.model, precision)

    def _checkpoint(self, stage: Stage | None) -> Path | None:
        return None if stage is None else self.store.path(stage)

    def _loss(
        self,
        checkpoint: Stage | None,
        recipe: TuneRecipe,
        tags: tuple[str, ...],
        label: str,
        about: dict[str, Any],
    ) -> Stage:
        rows = _in_languages(self.inputs.heldout, tags)

        def work(directory: Path) -> None:
            model = self._loaded(recipe.precision).tuned(self._checkpoint(checkpoint))
            table = heldout_loss(model, self.chat, rows, recipe.micro_tokens, f"loss {label}")
            write_table(directory / "loss.parquet", table)

        spec = {
            "rows": table_fingerprint(rows),
            "dtype": str(choose_dtype(recipe.precision)),
            **self.identity,
        }
        return Stage("loss", label, spec, (checkpoint,) if checkpoint else (), work, about)

    def _answers(
        self,
        checkpoint: Stage | None,
        recipe: TuneRecipe,
        tags: tuple[str, ...],
        label: str,
        about: dict[str, Any],
    ) -> Stage:
        rows = _in_languages(self.inputs.answered, tags)
        sampling = self.study.answering

        def work(directory: Path) -> None:
            model = self._loaded(sampling.precision).tuned(self._checkpoint(checkpoint))
            engine = TransformersEngine(model, self.chat)
            answer(rows, engine, self.chat, sampling, directory, label=f"answer {label}")

        spec = {
            "rows": table_fingerprint(rows),
            "sampling": sampling.model_dump(mode="json"),
            "dtype": str(choose_dtype(sampling.precision)),
            "engine": "transformers",
            **self.identity,
        }
        return Stage("answers", label, spec, (checkpoint,) if checkpoint else (), work, about)

    def _fidelity(self, answers: Stage, label: str, about: dict[str, Any]) -> Stage:
        candidates = fidelity_candidates(self.study)

        def work(directory: Path) -> None:
            table = read_table(self.store.path(answers) / "answers.parquet")
            found = fidelity_table(table["text"].to_pylist(), table["language"].to_pylist(), candidates)
            for name in ("item_id", "language", "sample"):
                found = found.append_column(name, table[name])
            write_table(directory / "fidelity.parquet", found)

        return Stage("fidelity", label, {"candidates": candidates}, (answers,), work, about)

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
            "sampling": None if tasks.is_choice else sampling.model_dump(mode="json"),
            "dtype": str(choose_dtype(precision)),
            **self.identity,
        }
        needs = (checkpoint,) if checkpoint else ()
        return Stage("task", f"{tasks.name}-{label}", spec, needs, work, {**about, "task": tasks.name})


def _in_languages(rows: pa.Table, tags: tuple[str, ...]) -> pa.Table:
    normal = [language(tag).tag for tag in tags]
    return rows.filter(pc.is_in(rows["language"], value_set=pa.array(normal)))
