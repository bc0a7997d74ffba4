"""What a study's folder keeps of its inputs: all that reading it takes, without its models and pools."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import instruction, response
from polypinch.errors import PinchError
from polypinch.files import read_json, read_table, write_json, write_table
from polypinch.judge import Orders, conversation
from polypinch.specs import validate
from polypinch.study.artifacts import Kind
from polypinch.study.runs import Compared, Graph, Tuned
from polypinch.study.spec import Study
from polypinch.study.store import Stage, Store
from polypinch.tasks import Item, Task, TaskSet

_STUDY, _FOLDER, _RECORD, _HELDOUT = "study.json", "record", "record.json", "heldout.parquet"


@dataclass(frozen=True)
class JudgeFacts:
    """Who compared a study's answers, for who reads of it.

    Attributes:
        words: the judge in words.
        orders: in which pairs were judged.
        ordered: whether the judge is shown an order at all.
        identity: of a language model or people: all that verdicts depend on; ``None`` of ``reference``.
        people: whether people judged.
    """

    words: str = "reference"
    orders: Orders = "both"
    ordered: bool = False
    identity: Mapping[str, Any] | None = None
    people: bool = False


@dataclass(frozen=True)
class Record:
    """What a study was about: enough to read its results.

    Attributes:
        study: the spec.
        heldout: the held-out rows, one per item and evaluated language, in a fixed order.
        tasks: held-out sets whose answers can be checked.
        chat_names: by model the name of its chat format.
        judge: who compares answers.
    """

    study: Study
    heldout: pa.Table
    tasks: tuple[TaskSet, ...]
    chat_names: Mapping[str, str]
    judge: JudgeFacts

    @cached_property
    def answered(self) -> pa.Table:
        """Those of the held-out rows that are answered."""
        few = self.study.heldout.answered
        if few is None:
            return self.heldout
        items = self.heldout["item_id"].unique().slice(0, few)
        return self.heldout.filter(pc.is_in(self.heldout["item_id"], value_set=items))

    @cached_property
    def has_references(self) -> bool:
        """Whether the held-out rows have reference responses: all of them, or none."""
        return bool(self.references())

    @property
    def is_compared(self) -> bool:
        """Whether answers can be compared: a language model and people need no references."""
        return self.has_references or self.judge.identity is not None

    def references(self) -> dict[tuple[str, str], str]:
        """Return the reference response of each (item, language) that has one."""
        return self._references

    @cached_property
    def _references(self) -> dict[tuple[str, str], str]:
        texts = {
            (item, tag): (response(messages) or "").strip() for item, tag, messages in _rows(self.heldout)
        }
        return {key: text for key, text in texts.items() if text}

    def conversations(self) -> dict[tuple[str, str], str]:
        """Return what a judge is shown of each answered (item, language), in the order of the rows."""
        return {(item, tag): conversation(messages) for item, tag, messages in _rows(self.answered)}

    def prompts(self) -> dict[tuple[str, str], str]:
        """Return the instruction of each (item, language)."""
        return {(item, tag): instruction(messages) for item, tag, messages in _rows(self.heldout)}


def _rows(table: pa.Table) -> zip[tuple[str, str, Any]]:
    return zip(*(table[name].to_pylist() for name in ("item_id", "language", "messages")), strict=True)


def write_record(out: Path, record: Record, graph: Graph, store: Store) -> None:
    """Keep in a study's folder what ``status`` and ``report`` need of it.

    A store that lies inside is named from there, so that the folder can be moved.
    """
    root = store.root.resolve()
    where = os.path.relpath(root, out.resolve()) if root.is_relative_to(out.resolve()) else str(root)
    study = record.study.model_dump(mode="json")
    kept = {
        "study": study,
        "chat_names": dict(record.chat_names),
        "judge": asdict(record.judge),
        "tasks": [_task(tasks) for tasks in record.tasks],
        "graph": _graph(graph),
    }
    write_table(out / _FOLDER / _HELDOUT, record.heldout)
    write_json(out / _FOLDER / _RECORD, kept)
    write_json(out / _STUDY, {"study": study, "store": where})


def read_study(out: Path) -> tuple[Study, Store]:
    """Return the study that a folder holds, and its artifacts.

    Raises:
        PinchError: the folder holds none.
    """
    path = out / _STUDY
    if not path.is_file():
        raise PinchError(f"{out} holds no study", fix="name a folder that polypinch run made")
    try:
        data = read_json(path)
        study, where = data["study"], str(data["store"])
    except (KeyError, TypeError) as error:
        raise PinchError(f"{path} names no study and store", fix="polypinch run writes it anew") from error
    return validate(study, Study, str(path)), Store(out / where)


def read_record(out: Path) -> tuple[Record, Graph, Store]:
    """Read what a study's folder keeps; no model, pool or network is asked.

    Raises:
        PinchError: the folder holds no study, or keeps nothing of its inputs.
    """
    study, store = read_study(out)
    path = out / _FOLDER / _RECORD
    again = "polypinch run with the same study and folder writes it; finished steps are kept"
    try:
        kept = read_json(path)
        if validate(kept["study"], Study, str(path)) != study:
            raise PinchError(f"{path} is of another study than {out / _STUDY}")
        record = Record(
            study,
            read_table(out / _FOLDER / _HELDOUT),
            tuple(_read_task(tasks) for tasks in kept["tasks"]),
            kept["chat_names"],
            JudgeFacts(**kept["judge"]),
        )
        return record, _read_graph(kept["graph"]), store
    except PinchError as error:
        raise PinchError(error.message, fix=again) from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PinchError(f"{path} cannot be read ({error!r})", fix=again) from error


def _task(tasks: TaskSet) -> dict[str, Any]:
    return {
        "task": tasks.task.model_dump(mode="json"),
        "languages": tasks.languages,
        "items": [asdict(item) for item in tasks.items],
        "wording": dict(tasks.wording),
        "left_out": tasks.left_out,
    }


def _read_task(kept: dict[str, Any]) -> TaskSet:
    items = tuple(
        Item(**{**item, "right": tuple(item["right"]), "choices": tuple(item["choices"])})
        for item in kept["items"]
    )
    task = validate(kept["task"], Task, "task")
    return TaskSet(task, tuple(kept["languages"]), items, kept["wording"], kept["left_out"])


def _graph(graph: Graph) -> dict[str, Any]:
    stages = {stage.fingerprint: place for place, stage in enumerate(graph.stages())}
    runs = {id(run): place for place, run in enumerate(graph.tuned)}

    def at(stage: Stage | None) -> int | None:
        return None if stage is None else stages[stage.fingerprint]

    return {
        "stages": [
            {
                "kind": stage.kind.value,
                "name": stage.name,
                "fingerprint": stage.fingerprint,
                "needs": [at(need) for need in stage.needs],
                "about": dict(stage.about),
            }
            for stage in graph.stages()
        ],
        "tuned": [
            {
                "model": run.model,
                "arm": run.arm,
                "seed": run.seed,
                "evaluated": run.evaluated,
                "mixture": at(run.mixture),
                "checkpoint": at(run.checkpoint),
                "loss": at(run.loss),
                "answers": at(run.answers),
                "fidelity": at(run.fidelity),
                "tasks": [at(task) for task in run.tasks],
            }
            for run in graph.tuned
        ],
        "compared": [
            {
                "arm": runs[id(one.arm)],
                "against": one.against,
                "others": [runs[id(other)] for other in one.others],
                "verdicts": at(one.verdicts),
            }
            for one in graph.compared
        ],
    }


def _read_graph(kept: dict[str, Any]) -> Graph:
    stages: list[Stage] = []
    for line in kept["stages"]:
        needs = tuple(stages[place] for place in line["needs"])
        stages.append(Stage(Kind(line["kind"]), line["name"], line["fingerprint"], needs, line["about"]))

    def of(place: int | None) -> Stage | None:
        return None if place is None else stages[place]

    tuned = tuple(
        Tuned(
            line["model"],
            line["arm"],
            line["seed"],
            tuple(line["evaluated"]),
            of(line["mixture"]),
            of(line["checkpoint"]),
            of(line["loss"]),
            stages[line["answers"]],
            stages[line["fidelity"]],
            tuple(stages[place] for place in line["tasks"]),
        )
        for line in kept["tuned"]
    )
    compared = tuple(
        Compared(
            tuned[line["arm"]],
            line["against"],
            tuple(tuned[place] for place in line["others"]),
            stages[line["verdicts"]],
        )
        for line in kept["compared"]
    )
    return Graph(tuned, compared)
