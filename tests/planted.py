"""A finished study on disk without any model: artifacts drawn from a truth, in seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from polypinch.judge import VERDICT_SCHEMA
from polypinch.mix.mixture import quotas
from polypinch.specs import validate
from polypinch.study import UNTUNED, Graph, Record, Store, Study, Tuned
from polypinch.study.artifacts import (
    ANSWERS,
    FIDELITY,
    LOSS,
    MANIFEST,
    MIXTURE,
    SUMMARY,
    VERDICTS,
    Kind,
    TableFile,
)
from polypinch.study.folder import write_record
from polypinch.study.record import JudgeFacts
from polypinch.study.runs import Compared
from polypinch.study.store import Stage
from tests.pools import parallel_pool

Effect = Callable[[str, str, dict[str, int]], float]
"""What an arm's mixture does to the loss in a language: of arm, language and examples by language."""


def saturating(arm: str, tag: str, counts: dict[str, int]) -> float:
    """Half of the gain comes with eight examples; English pays when half of it is gone."""
    dose = sum(count for other, count in counts.items() if other != "en")
    if arm == UNTUNED:
        return 0.02
    if tag == "en":
        return 0.0004 * max(0, dose - 40)
    return -0.05 * dose / (dose + 8) * (1.2 if counts.get(tag) else 0.8)


@dataclass(frozen=True)
class Planted:
    """A finished study: its folder, and what reads it."""

    out: Path
    record: Record
    graph: Graph
    store: Store


def plant(
    out: Path,
    spec: Mapping[str, Any],
    heldout: pa.Table | None = None,
    effect: Effect = saturating,
    training: float = 0.002,
    noise: float = 0.02,
) -> Planted:
    """Make a finished study in a folder.

    Args:
        out: the study's folder.
        spec: of the study; its models and pool are never opened.
        heldout: rows of a pool in every evaluated language; 24 made-up items by default.
        effect: on the loss, in bits per byte.
        training: standard deviation between two trainings.
        noise: that of one item in one language.
    """
    study = validate(dict(spec), Study, "study")
    tags = study.evaluated
    rows = parallel_pool(tags, 0, heldout=24).select() if heldout is None else heldout
    making = _Planting(study, Store(out / "store"), rows, effect, training, noise)
    graph = making.graph()
    record = Record(study, rows, (), dict.fromkeys(study.models, "plain"), JudgeFacts())
    for stage in graph.stages():
        making.store.make(stage)
    write_record(out, record, graph, making.store)
    return Planted(out, record, graph, making.store)


@dataclass
class _Planting:
    study: Study
    store: Store
    rows: pa.Table
    effect: Effect
    training: float
    noise: float

    def graph(self) -> Graph:
        tuned = [self._run(model, arm, seed) for model, arm, seed in self._runs()]
        against = self.study.comparison.against
        compared = []
        for run in tuned:
            others = tuple(
                one
                for one in tuned
                if one.model == run.model and one.arm == against and one.seed in (run.seed, None)
            )
            if run.arm not in (against, UNTUNED) and others:
                compared.append(Compared(run, against, others[:1], self._verdicts(run)))
        return Graph(tuple(tuned), tuple(compared))

    def _runs(self) -> Iterator[tuple[str, str, int | None]]:
        for model in self.study.models:
            yield model, UNTUNED, None
            for arm in self.study.arms:
                for seed in self.study.seeds:
                    yield model, arm.name, seed

    def _counts(self, arm: str) -> dict[str, int]:
        own = next((one for one in self.study.arms if one.name == arm), None)
        if own is None:
            return {}
        plan = self.study.plan(own, self.study.seeds[0])
        counts = {tag: round(quota.amount) for tag, quota in quotas(plan).items()}
        taken = sum(counts.values()) if own.placement == "replace" else 0
        return {self.study.base: round(self.study.budget.amount) - taken, **counts}

    def _stage(
        self,
        kind: Kind,
        name: str,
        about: dict[str, Any],
        work: Callable[[Path], None],
        needs: tuple[Stage, ...] = (),
        **used: str,
    ) -> Stage:
        spec = {"planted": name, **about, "at": str(self.store.root)}
        return Stage.of(kind, name, spec, needs, work, about, (lambda: used) if used else None)

    def _run(self, model: str, arm: str, seed: int | None) -> Tuned:
        name = arm if seed is None else f"{arm}-s{seed}"
        about = {"model": model, "arm": arm, "seed": seed}
        counts = self._counts(arm)
        rng = np.random.default_rng(abs(hash_of(f"{model} {name}")))
        table = self._measured(arm, counts, rng)
        mixture = checkpoint = None
        if seed is not None:
            mixture = self._stage(Kind.MIXTURE, name, about, lambda to: self._write_mixture(to, counts))
            checkpoint = self._stage(
                *(Kind.TUNE, name, about, lambda to: SUMMARY.write(to, {"planted": True}), (mixture,)),
                device="cpu",
                dtype="float32",
            )
        needs = (checkpoint,) if checkpoint else ()
        used = {"device": "cpu", "dtype": "float32"}
        loss = self._stage(Kind.LOSS, name, about, _writer(LOSS, table), needs, **used)
        answers = self._stage(Kind.ANSWERS, name, about, _writer(ANSWERS, table), needs, **used)
        fidelity = self._stage(Kind.FIDELITY, name, about, _writer(FIDELITY, table), (answers,))
        return Tuned(
            model, arm, seed, self.study.evaluated, mixture, checkpoint, loss, answers, fidelity
        )  # fmt: skip

    def _measured(self, arm: str, counts: dict[str, int], rng: np.random.Generator) -> list[dict[str, Any]]:
        luck = rng.normal(0, self.training) if arm != UNTUNED else 0.0
        levels = np.random.default_rng(0)
        items = {item: levels.normal(0, 0.15) for item in self.rows["item_id"].unique().to_pylist()}
        rows = []
        for row in self.rows.to_pylist():
            item, tag = row["item_id"], row["language"]
            reference = row["messages"][-1]["content"]
            effect = self.effect(arm, tag, counts)
            loss = max(0.05, 0.9 + items[item] + effect + luck + rng.normal(0, self.noise))
            size = len(reference.encode())
            astray = tag != self.study.base and rng.random() < (0.6 if arm == UNTUNED else 0.25 + 3 * effect)
            rows.append(
                {
                    "item_id": item, "language": tag, "sample": 0, "bits_per_byte": loss, "bytes": size,
                    "nats": loss * size * math.log(2), "supervised_tokens": max(1, size // 4),
                    "text": "An answer in English." if astray else reference, "finish_reason": "stop",
                    "prompt_tokens": 20, "completion_tokens": 20, "engine": "planted", "sampling": "{}",
                    "thought": "", "response_language": self.study.base if astray else tag,
                    "confidence": 0.99, "in_language": not astray, "line_pass": not astray, "word_pass": True,
                }
            )  # fmt: skip
        return rows

    def _write_mixture(self, to: Path, counts: dict[str, int]) -> None:
        total = sum(counts.values())
        rows = [
            {"item_id": f"t{at}", "language": tag, "source": "planted", "tokens": 60, "supervised_tokens": 40,
             "truncated": False, "messages": []}
            for tag, count in counts.items() for at in range(count)
        ]  # fmt: skip
        MIXTURE.write(to, pa.Table.from_pylist(rows, schema=MIXTURE.schema))
        lines = [
            {
                "language": tag,
                "requested": {"unit": "examples", "amount": float(count)} if tag != self.study.base else None,
                "examples": count, "share": count / total, "items": count, "duplicates": 0,
                "tokens": 60 * count, "supervised_tokens": 40 * count, "truncated": 0,
            }
            for tag, count in counts.items() if count
        ]  # fmt: skip
        MANIFEST.write(to, {"rows": total, "languages": lines})

    def _verdicts(self, run: Tuned) -> Stage:
        name, about = f"{run.arm}-s{run.seed}", {"model": run.model, "arm": run.arm, "seed": run.seed}

        def work(to: Path) -> None:
            rng = np.random.default_rng(abs(hash_of(f"verdicts {run.model} {name}")))
            counts, against = self._counts(run.arm), self.study.comparison.against
            rows = []
            for row in self.rows.to_pylist():
                gain = -6 * self.effect(run.arm, row["language"], counts)
                wins = rng.random() < 0.5 + gain
                for order, winner in (("arm_first", "first"), ("against_first", "second")):
                    lost = "second" if winner == "first" else "first"
                    rows.append(
                        {"arm": run.arm, "against": against, "seed": run.seed, "item_id": row["item_id"],
                         "language": row["language"], "order": order, "judge": "reference",
                         "winner": winner if wins else lost, "arm_length": 90, "against_length": 80}
                    )  # fmt: skip
            VERDICTS.write(to, pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA))

        return self._stage(Kind.VERDICTS, name, about, work, (run.answers,))


def _writer(file: TableFile, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    kept = [{name: row[name] for name in file.schema.names} for row in rows]
    return lambda to: file.write(to, pa.Table.from_pylist(kept, schema=file.schema))


def hash_of(text: str) -> int:
    """Return a number that a text always has."""
    return int.from_bytes(text.encode()[-12:], "little")


LADDER = {
    "name": "planted",
    "models": ["gemma-3-270m"],
    "pool": "pinch12",
    "budget": {"examples": 96},
    "languages": {"seen": ["es", "fi", "ru", "hi"], "unseen": ["ar", "he", "sw", "zh"]},
    "arms": [
        {"name": "english"},
        *(
            {"name": f"pinch-{dose}", "doses": [{"languages": ["es", "fi", "ru", "hi"], "count": dose}]}
            for dose in (4, 8, 24, 80)
        ),
    ],
    "seeds": [1, 2, 3],
    "comparison": {"against": "english"},
}
"""A study of a ladder of doses in nine languages."""
