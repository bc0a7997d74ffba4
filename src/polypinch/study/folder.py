"""What a study's folder keeps of its inputs: all that reading it takes, without its models and pools."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import read_json, read_table, write_json, write_table
from polypinch.specs import validate
from polypinch.study.artifacts import Kind
from polypinch.study.elsewhere import is_elsewhere, open_store
from polypinch.study.record import JudgeFacts, Record
from polypinch.study.runs import Compared, Graph, Tuned
from polypinch.study.searching import so_far
from polypinch.study.spec import Study
from polypinch.study.store import Stage, Store
from polypinch.tasks import Item, Task, TaskSet

_STUDY, _FOLDER, _RECORD, _HELDOUT = "study.json", "record", "record.json", "heldout.parquet"


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
    address = {"elsewhere": str(store)} if is_elsewhere(str(store)) else {}
    write_json(out / _STUDY, {"study": study, "store": where, **address})


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
        study, where, elsewhere = data["study"], str(data["store"]), data.get("elsewhere")
    except (KeyError, TypeError) as error:
        raise PinchError(f"{path} names no study and store", fix="polypinch run writes it anew") from error
    store = Store(out / where) if elsewhere is None else open_store(str(elsewhere), out / where)
    return validate(study, Study, str(path)), store


def read_record(out: Path) -> tuple[Record, Graph, Store]:
    """Read what a study's folder keeps; no model, pool or network is asked.

    Of an adaptive study what it wants by now is returned, see :func:`~polypinch.study.searching.so_far`.

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
        graph = _read_graph(kept["graph"])
    except PinchError as error:
        raise PinchError(error.message, fix=again) from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PinchError(f"{path} cannot be read ({error!r})", fix=again) from error
    return *so_far(record, graph, store), store


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
