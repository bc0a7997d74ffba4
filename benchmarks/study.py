"""What a study costs beyond its necessary work, and what the same arms cost as scripts, one after another."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.children import run_child
from benchmarks.tune import machine

# What somebody who wants the results cannot do without; all else is overhead: starting Python, mixing,
# tokenising, adapters put on and taken off, checkpoints, artifacts, and whatever was not thought of.
NECESSARY: dict[str, tuple[str, ...]] = {
    "load the base": ("polypinch.tune.base.load_model",),
    "tune": ("polypinch.tune.trainer.PinchTrainer.training_step",),
    "optimise": ("torch.optim.AdamW.step", "accelerate.Accelerator.clip_grad_norm_"),
    "held-out loss": ("polypinch.tune.loss.row_losses",),
    "answer": ("polypinch.answer.TransformersEngine.complete",),
    "fidelity": ("polypinch.study.graph.fidelity_table",),
    "judge": ("polypinch.study.verdicts.judge",),
    "report": ("polypinch.publish.report",),
}


def run(*, study: str = "", scripts: int = -1) -> dict[str, Any]:
    """Run a study in a process of its own, then its arms as scripts.

    Args:
        study: a study's file; by default the built-in demo.
        scripts: so many of its arms, the untuned base first, are run as scripts; -1 is all, 0 none.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(study) if study else Path(folder) / "demo.yaml"
        if not study:
            path.write_text((files("polypinch.study") / "demo.yaml").read_text())
        print("study: the whole study …", file=sys.stderr, flush=True)
        whole = _child("study", str(path), str(Path(folder) / "out"))
        arms = list(whole["arms"])
        compared = arms if scripts < 0 else arms[:scripts]
        alone = {}
        for arm in compared:
            print(f"study: {arm} as a script …", file=sys.stderr, flush=True)
            alone[arm] = _child("script", str(path), str(Path(folder) / f"script-{arm}"), arm)["wall_s"]
    return {"benchmark": "study", "machine": machine(), **whole, "scripts": alone, **compare(whole, alone)}


def compare(whole: dict[str, Any], alone: dict[str, float]) -> dict[str, Any]:
    """Return the overhead over the necessary work, and scripts ÷ the same arms within the study."""
    necessary = sum(whole["necessary"].values())
    result: dict[str, Any] = {
        "necessary_s": round(necessary, 2),
        "overhead": round(whole["wall_s"] / necessary - 1, 4),
    }
    if alone:
        within = sum(whole["arms"][arm] for arm in alone)
        if len(alone) == len(whole["arms"]):
            within = whole["wall_s"]
        result["scripts_ratio"] = round(sum(alone.values()) / within, 3)
    return result


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result["necessary"].items())
    figure = f"{result['wall_s']:.1f} s for {result['necessary_s']:.1f} s of work: {result['overhead']:.1%}"
    table = [("study", "overhead", figure, "≤ 3 %"), ("study", "necessary work", parts, "")]
    if result["scripts"]:
        said = f"{len(result['scripts'])} arms: {sum(result['scripts'].values()):.1f} s"
        table.append(("study", "each arm as a script", f"{said}: {result['scripts_ratio']:.2f} × ours", ""))
    return table


def _child(what: str, *arguments: str) -> dict[str, Any]:
    started = time.monotonic()
    found = run_child("study", what, *arguments)
    # The process's whole life, the imports of its own measuring included.
    return {**found, "wall_s": round(time.monotonic() - started, 2)}


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Add up the time within each of NECESSARY's functions; time within one of another is the inner one's."""
    open_names: list[str] = []

    def wrapping(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            open_names.append(name)
            try:
                return work(*given, **named)
            finally:
                open_names.pop()
                seconds = time.perf_counter() - started
                spent[name] = spent.get(name, 0.0) + seconds
                if open_names:
                    spent[open_names[-1]] = spent.get(open_names[-1], 0.0) - seconds

        return timed

    with ExitStack() as stack:
        for name, targets in NECESSARY.items():
            for target in targets:
                place, _, attribute = target.rpartition(".")
                owner = _resolve(place)
                stack.enter_context(patch.object(owner, attribute, wrapping(name, getattr(owner, attribute))))
        yield


def _resolve(place: str) -> Any:
    from pkgutil import resolve_name

    return resolve_name(place)


def measure_study(path: Path, out: Path) -> dict[str, Any]:
    """Run a study as ``polypinch run`` does, and return what each arm and each kind of work took."""
    import polypinch.study
    from polypinch.cli import main

    spent: dict[str, float] = {}
    arms: dict[str, float] = {}
    stages: dict[str, float] = {}
    make = polypinch.study.Store.make

    def noted(store: Any, stage: Any) -> bool:
        started = time.perf_counter()
        made = make(store, stage)
        seconds = time.perf_counter() - started
        arms[stage.about["arm"]] = arms.get(stage.about["arm"], 0.0) + seconds
        stages[stage.kind] = stages.get(stage.kind, 0.0) + seconds
        return made

    command = ["polypinch", "run", str(path), "--out", str(out)]
    with (
        _timed(spent),
        patch.object(polypinch.study.Store, "make", noted),
        patch.object(sys, "argv", command),
    ):
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
    rounded = [{name: round(seconds, 2) for name, seconds in part.items()} for part in (spent, arms, stages)]
    return dict(zip(("necessary", "arms", "stages"), rounded, strict=True))


def measure_script(path: Path, out: Path, name: str) -> dict[str, Any]:
    """Do one arm's work as a script would: everything loaded, tokenised and written for itself."""
    from polypinch.answer import TransformersEngine, answer
    from polypinch.chat import ChatFormat, count_tokens
    from polypinch.fidelity import fidelity_table
    from polypinch.files import write_table
    from polypinch.mix import make_mixture
    from polypinch.models.finding import find_model
    from polypinch.pool import open_pool
    from polypinch.specs import load_yaml
    from polypinch.study import Study, open_inputs
    from polypinch.study.inputs import fidelity_candidates
    from polypinch.tune import heldout_loss, load_tuned, tune

    study = load_yaml(path, Study)
    inputs = open_inputs(study)
    model = find_model(study.models[0])
    chat = ChatFormat.load(model)
    out.mkdir()
    tuned = None
    arm = next((arm for arm in study.arms if arm.name == name), None)
    if arm is not None:
        recipe, seed = study.recipe(arm), study.seeds[0]
        counter = count_tokens(chat, recipe.max_length)
        mixture = make_mixture(study.plan(arm, seed), open_pool(study.pool), counter)
        write_table(out / "mixture.parquet", mixture.table)
        tuned = out / "tuned"
        tune(mixture.table, model, recipe, seed, tuned)
    loaded = load_tuned(model, tuned)
    write_table(out / "loss.parquet", heldout_loss(loaded, chat, inputs.heldout))
    answers = answer(inputs.answered, TransformersEngine(loaded, chat), chat, study.answering, out)
    found = fidelity_table(
        answers["text"].to_pylist(), answers["language"].to_pylist(), fidelity_candidates(study)
    )
    write_table(out / "fidelity.parquet", found)
    return {}


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "study":
        print(json.dumps(measure_study(Path(given[0]), Path(given[1]))))
    else:
        print(json.dumps(measure_script(Path(given[0]), Path(given[1]), given[2])))
