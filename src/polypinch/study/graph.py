"""A study as stages in the order of their needs; every name and fingerprint is known before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from polypinch.answer import Sampling, TransformersEngine, answer
from polypinch.fidelity import fidelity_table
from polypinch.files import read_table, write_json, write_table
from polypinch.judge import VERDICT_SCHEMA, judge, quality
from polypinch.languages import language
from polypinch.mix import MixPlan
from polypinch.models import Precision, choose_dtype, device
from polypinch.study.inputs import Inputs, fidelity_candidates, table_fingerprint
from polypinch.study.judging import Judging
from polypinch.study.spec import MONOLINGUAL, UNTUNED, Arm
from polypinch.study.store import Stage, Store
from polypinch.tasks import TaskSet, run_task
from polypinch.tune import Base, TuneRecipe, heldout_loss, tune

Key = tuple[str, str]
_Work = tuple[dict[str, Any], tuple[Stage, ...], Callable[[Path], None]]


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
                builder.tuned(arm, seed, (tag,), with_tasks=False)
                for seed in study.seeds
                for arm, tag in zip(study.monolingual, study.evaluated, strict=True)
            ]
        tuned += [untuned, *arms, *mono]
        if inputs.is_compared:
            compared += builder.comparisons([untuned, *arms], mono)
    return Graph(tuple(tuned), tuple(compared))


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

    def comparisons(self, arms: list[Tuned], mono: list[Tuned]) -> list[Compared]:
        """Return each arm's comparison, seed by seed."""
        against = self.study.comparison.against
        seeds = self.study.seeds
        result = []
        for arm in arms:
            if arm.arm == against:
                continue
            for seed in seeds if arm.seed is None else (arm.seed,):
                if against == MONOLINGUAL:
                    others = [other for other in mono if other.seed == seed]
                else:
                    others = [other for other in arms if other.arm == against and other.seed in (seed, None)]
                verdicts = self._verdicts(arm, others, against, seed)
                result.append(Compared(arm, against, tuple(others), verdicts))
                if arm.seed is None and all(other.seed is None for other in others):
                    break
        return result

    def _verdicts(self, arm: Tuned, others: list[Tuned], against: str, seed: int) -> Stage:
        judging = self.inputs.judging
        label = f"{arm.arm}-against-{against}-s{seed}"
        names = {"arm": arm.arm, "against": against, "seed": seed}
        if judging is None:
            spec, needs, work = self._by_reference(arm, others, names)
        else:
            spec, needs, work = self._by_model(judging, arm, others, names, label)
        about = {"model": self.model, "arm": arm.arm, "seed": seed}
        return Stage("verdicts", label, {**spec, **names}, needs, work, about)

    def _by_model(
        self, judging: Judging, arm: Tuned, others: list[Tuned], names: dict[str, Any], label: str
    ) -> _Work:
        prompts = self.inputs.conversations()

        def work(directory: Path) -> None:
            ours = self._texts(arm)
            theirs: dict[Key, str] = {}
            for other in others:
                theirs.update(self._texts(other))
            judging.judge(directory, prompts, ours, theirs, names, f"judge {label}")

        spec = {"judge": judging.identity, "heldout": self.inputs.heldout_fingerprint}
        return spec, tuple(one.answers for one in (arm, *others)), work

    def _texts(self, tuned: Tuned) -> dict[Key, str]:
        table = read_table(self.store.path(tuned.answers) / "answers.parquet")
        columns = [table[name].to_pylist() for name in ("item_id", "language", "text")]
        return {(item, tag): text for item, tag, text in zip(*columns, strict=True)}

    def _by_reference(self, arm: Tuned, others: list[Tuned], names: dict[str, Any]) -> _Work:
        margin = self.study.comparison.tie_margin
        references = self.inputs.references()
        answered = self.inputs.answered
        keys = list(zip(answered["item_id"].to_pylist(), answered["language"].to_pylist(), strict=True))

        def work(directory: Path) -> None:
            ours = self._qualities(arm, references)
            theirs: dict[Key, float] = {}
            texts = [self._texts(arm), {}]
            for other in others:
                theirs.update(self._qualities(other, references))
                texts[1].update(self._texts(other))
            lengths = {key: (_length(texts[0].get(key)), _length(texts[1].get(key))) for key in keys}
            verdicts = judge(**names, ours=ours, theirs=theirs, keys=keys, tie_margin=margin, lengths=lengths)
            write_table(directory / "verdicts.parquet", verdicts)

        spec = {
            "judge": self.study.comparison.judge,
            "tie_margin": margin,
            "heldout": self.inputs.heldout_fingerprint,
            "columns": VERDICT_SCHEMA.names,
        }
        needs = tuple(stage for one in (arm, *others) for stage in (one.answers, one.fidelity))
        return spec, needs, work

    def _qualities(self, tuned: Tuned, references: dict[Key, str]) -> dict[Key, float]:
        answers = read_table(self.store.path(tuned.answers) / "answers.parquet")
        found = read_table(self.store.path(tuned.fidelity) / "fidelity.parquet")
        samples: dict[Key, list[float]] = {}
        columns = [answers[name].to_pylist() for name in ("item_id", "language", "text")]
        for item, tag, text, in_language in zip(*columns, found["in_language"].to_pylist(), strict=True):
            if (item, tag) in references:
                samples.setdefault((item, tag), []).append(quality(text, references[item, tag], in_language))
        return {key: sum(values) / len(values) for key, values in samples.items()}


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)


def _in_languages(rows: pa.Table, tags: tuple[str, ...]) -> pa.Table:
    normal = [language(tag).tag for tag in tags]
    return rows.filter(pc.is_in(rows["language"], value_set=pa.array(normal)))
