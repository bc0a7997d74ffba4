"""A tuned arm handed to lm-evaluation-harness, and its results brought back into the study's report."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.files import artifact, read_json, write_json, write_text
from polypinch.models import Model, choose_dtype, load_tokenizer
from polypinch.results.tasks import rows_of, task_axes
from polypinch.stats import Array, from_standard_errors, widened
from polypinch.study import UNTUNED, Graph, Inputs, Store, Study, Tuned
from polypinch.tasks import NAME, read_results
from polypinch.tune import Base

FOLDER = "harness"
"""Under a study's folder: what was brought in."""

_Runs = dict[tuple[str, int | None], dict[str, Any]]


def export_arm(
    inputs: Inputs,
    graph: Graph,
    store: Store,
    who: tuple[str | None, str, int | None],
    out: Path,
    merge: bool,
) -> str:
    """Write a tuned arm for lm-evaluation-harness; return the command that scores it there.

    Args:
        inputs: the study's.
        graph: its stages.
        store: its artifacts.
        who: base model (``None`` where there is one), arm, seed (``None`` for the untuned base).
        out: gets ``tokenizer/`` with the study's chat template, the adapter or the merged model, and
            ``command.sh``.
        merge: write whole weights instead of the adapter.

    Raises:
        PinchError: there is no such arm, or it is not tuned yet.
    """
    model, run = _run(inputs.study, graph, *who)
    checkpoint = None if run.checkpoint is None else store.path(run.checkpoint)
    if run.checkpoint is not None and store.state(run.checkpoint) != "done":
        raise PinchError(f"{run.checkpoint.name} is not tuned yet", fix="polypinch run goes on from there")
    tuned_from = next((arm.model for arm in inputs.study.arms if arm.name == run.arm), None) or model
    base, chat = inputs.models[tuned_from], inputs.chats[tuned_from]
    answering = inputs.study.answering
    settings = {"dtype": str(choose_dtype(answering.precision)).removeprefix("torch.")}
    spec = {
        "arm": run.arm,
        "seed": run.seed,
        "model": base.fingerprint,
        "checkpoint": None if run.checkpoint is None else run.checkpoint.fingerprint,
        "chat": chat.fingerprint,
        "merge": merge,
    }
    final = out.resolve()
    if "," in str(final):
        raise PinchError(f"{final}: {NAME} parts its arguments at commas", fix="name a folder without one")
    with artifact(out, spec, kind="export") as folder:
        tokenizer = _tokenizer(base, chat)
        tokenizer.save_pretrained(folder / "tokenizer")
        if merge:
            Base(base, answering.precision).tuned(checkpoint).save_pretrained(folder / "model")
            tokenizer.save_pretrained(folder / "model")
            settings["pretrained"] = str(final / "model")
        elif checkpoint is not None and (checkpoint / "model").is_dir():
            settings["pretrained"] = str((checkpoint / "model").resolve())
        else:
            settings["pretrained"] = base.path
            if base.revision is not None:
                settings["revision"] = base.revision
            if checkpoint is not None:
                shutil.copytree(checkpoint / "adapter", folder / "adapter")
                settings["peft"] = str(final / "adapter")
        settings["tokenizer"] = str(final / "tokenizer")
        command = _command(settings, final)
        write_text(folder / "command.sh", command + "\n")
    return command


def _command(settings: Mapping[str, str], final: Path) -> str:
    order = ("pretrained", "revision", "peft", "tokenizer", "dtype")
    arguments = ",".join(f"{name}={settings[name]}" for name in order if name in settings)
    words = ["lm_eval", "--model", "hf", "--model_args", arguments, "--tasks", "TASKS"]
    words += ["--apply_chat_template", "--log_samples", "--output_path", str(final / "results")]
    return shlex.join(words)


def _tokenizer(base: Model, chat: ChatFormat) -> Any:
    """Return the base's tokenizer with the study's chat template, ending texts where a turn ends.

    The harness lets a model write on to the tokenizer's end of text, which a base model's template does not
    use.
    """
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = chat.template
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(chat.stop_ids[0])
    return tokenizer


def _run(study: Study, graph: Graph, model: str | None, arm: str, seed: int | None) -> tuple[str, Tuned]:
    if model is None and len(study.models) > 1:
        raise PinchError("the study has several base models", fix=f"--model {' or '.join(study.models)}")
    name = model or study.models[0]
    wanted = None if arm == UNTUNED else seed if seed is not None or len(study.seeds) > 1 else study.seeds[0]
    runs = [run for run in graph.tuned if run.model == name]
    found = next((run for run in runs if run.arm == arm and run.seed == wanted), None)
    if found is None:
        arms, seeds = dict.fromkeys(run.arm for run in runs), ", ".join(map(str, study.seeds))
        raise PinchError(
            f"the study has no arm {arm!r} with seed {seed} on {name}",
            fix=f"name one of {', '.join(arms) or 'its models'}, and a seed of {seeds}",
        )
    return name, found


def import_results(
    study: Study,
    graph: Graph,
    out: Path,
    files: Sequence[Path],
    who: tuple[str | None, str, int | None],
    named: Mapping[str, str],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Keep results of lm-evaluation-harness in a study's folder, for its report.

    Args:
        study: the study.
        graph: its stages.
        out: its folder.
        files: results files, or folders that hold some.
        who: whose results: base model (``None`` where there is one), arm, seed.
        named: language by task, where the task's name does not say it.

    Returns:
        The scores, and in words what was left out.

    Raises:
        PinchError: a file cannot be read or holds nothing to bring in, the study has no such arm, or the arm
            has a score already that these would hide.
    """
    model, run = _run(study, graph, *who)
    found, left_out = [], []
    for file in _results(files):
        scores, left = read_results(file, study.evaluated, named)
        left_out += left
        content = [one.as_dict() for one in scores]
        record = {"model": model, "arm": run.arm, "seed": run.seed, "file": str(file), "scores": content}
        mark = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        label = run.arm if run.seed is None else f"{run.arm}-s{run.seed}"
        # A number stands for the model: a Hub id is no file name.
        target = out / FOLDER / f"{label}-m{study.models.index(model) + 1}-{mark}.json"
        _refuse_twice(out, target, record)
        write_json(target, record)
        found += content
    return found, left_out


def _results(files: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for file in files:
        inside = sorted(file.rglob("results_*.json")) if file.is_dir() else [file]
        if not inside:
            raise PinchError(f"{file} holds no results_….json", fix="name the folder given as --output_path")
        found += inside
    return found


def _keys(record: Mapping[str, Any]) -> set[tuple[str, ...]]:
    whose = tuple(str(record[name]) for name in ("model", "arm", "seed"))
    return {(*whose, one["task"], one["metric"], one["language"]) for one in record["scores"]}


def _refuse_twice(out: Path, target: Path, record: Mapping[str, Any]) -> None:
    for path in sorted((out / FOLDER).glob("*.json")):
        twice = _keys(record) & _keys(read_json(path)) if path != target else set()
        if twice:
            *_, task, metric, tag = min(twice)
            raise PinchError(
                f"{record['file']}: {record['arm']} has {metric} of {task} in {tag} already, from {path}",
                fix=f"remove {path} to replace it",
            )


def imported_rows(study: Study, out: Path) -> list[dict[str, Any]]:
    """Return what was brought in, as rows for the report.

    Where samples were logged for all arms, arms are paired by document and seed, as in the study's own tasks.
    Otherwise an interval comes from the harness's standard errors, and there are no averages over languages
    and no changes: translations hang together, and standard errors do not tell how much.
    """
    by_task: dict[tuple[str, str, str], _Runs] = {}
    for path in sorted((out / FOLDER).glob("*.json")):
        record = read_json(path)
        for one in record["scores"]:
            runs = by_task.setdefault((record["model"], one["task"], one["metric"]), {})
            whose = runs.setdefault((record["arm"], record["seed"]), {})
            whose[one["language"]] = one
    rows = []
    for (model, task, metric), runs in by_task.items():
        about = {"model": model, "task": task, "metric": metric, "source": NAME, "chance": None}
        logged = all(one["samples"] for by_language in runs.values() for one in by_language.values())
        rows += (_paired if logged else _apart)(study, runs, about)
    return rows


def _languages(study: Study, runs: _Runs) -> tuple[str, ...]:
    there = {tag for by_language in runs.values() for tag in by_language}
    return tuple(tag for tag in study.evaluated if tag in there)


def _arms(study: Study, runs: _Runs) -> list[str]:
    there = {arm for arm, _ in runs}
    return [arm for arm in (UNTUNED, *(arm.name for arm in study.arms)) if arm in there]


def _paired(study: Study, runs: _Runs, about: dict[str, Any]) -> list[dict[str, Any]]:
    tags = _languages(study, runs)
    documents = {
        name for by_language in runs.values() for one in by_language.values() for name in one["samples"]
    }
    axes = task_axes(study, tags, tuple(sorted(documents)))
    item_at = {item: index for index, item in enumerate(axes.items)}
    values: dict[str, Array] = {}
    for arm in _arms(study, runs):
        seeds: Sequence[int | None] = (None,) if arm == UNTUNED else study.seeds
        values[arm] = np.full((len(seeds), len(axes.items), len(tags)), np.nan)
        for place, seed in enumerate(seeds):
            for tag, one in runs.get((arm, seed), {}).items():
                for item, value in one["samples"].items():
                    values[arm][place, item_at[item], tags.index(tag)] = value
    return rows_of(study, axes, values, about)


def _apart(study: Study, runs: _Runs, about: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for arm in _arms(study, runs):
        for tag in _languages(study, runs):
            known = [own[tag] for (name, _), own in runs.items() if name == arm and tag in own]
            if not known:
                continue
            errors = [np.nan if one["stderr"] is None else one["stderr"] for one in known]
            n_items = max(one["n"] or 0 for one in known)
            means = [one["value"] for one in known]
            estimate = widened(from_standard_errors(means, errors, n_items), 0, 1)
            change = dict.fromkeys(("against", "change", "change_low", "change_high"))
            rows.append({**about, "arm": arm, "language": tag, **estimate.as_dict(), **change})
    return rows
