"""The tuned model, and what it was before and after: a study of one arm."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path

import yaml

from polypinch.answer import Sampling
from polypinch.errors import PinchError
from polypinch.files import write_text
from polypinch.mix import MixPlan
from polypinch.progress import say
from polypinch.season.season import Tuning
from polypinch.study import (
    UNTUNED,
    Arm,
    Comparison,
    Graph,
    HeldOut,
    Inputs,
    Preflight,
    State,
    Store,
    Study,
    StudyLanguages,
    build,
    open_inputs,
    preflight,
    run,
    write_record,
)

SEASONED, STUDY, STORE = "seasoned", "study.yaml", "store"


@dataclass(frozen=True)
class Measured:
    """A season's study, done.

    Attributes:
        inputs: what it read.
        graph: its steps.
        store: where they are.
        adapter: the folder of the tuning.
    """

    inputs: Inputs
    graph: Graph
    store: Store
    adapter: Path


def study_of(plan: MixPlan, tuning: Tuning, languages: tuple[str, ...], heldout: Path) -> Study:
    """Return the study: the untuned base, and one arm that is tuned on the seasoned rows."""
    return Study(
        name="season",
        models=(tuning.model,),
        pool=plan.pool,
        base=plan.base,
        budget=plan.budget,
        languages=StudyLanguages(seen=languages),
        arms=(Arm(name=SEASONED, doses=plan.doses, placement=plan.placement, items=plan.items),),
        seeds=(plan.seed,),
        tuning=tuning.recipe,
        answering=Sampling(max_new_tokens=128),
        heldout=HeldOut(pool=str(heldout), answered=tuning.answered),
        comparison=Comparison(against=UNTUNED),
    )


def preflighted(study: Study, out: Path) -> Preflight:
    """Check a study before its first step, and estimate its time.

    Raises:
        PinchError: something would stop it.
    """
    found = preflight(open_inputs(study), out)
    _refuse(found)
    return found


def tune_and_measure(study: Study, out: Path) -> Measured:
    """Run the study; what is done of it is kept, and goes on in a later run.

    Raises:
        PinchError: something would stop it; said before the first step.
    """
    inputs = open_inputs(study)
    store = Store(out / STORE)
    graph = build(inputs, store)
    write_record(out, inputs, graph, store)
    if any(store.state(stage) is State.TO_DO for stage in graph.stages()):
        _refuse(preflight(inputs, out, time_it=False))
    gc.freeze()
    run(graph, store, out)
    tuned = next(one for one in graph.tuned if one.arm == SEASONED)
    assert tuned.checkpoint is not None
    return Measured(inputs, graph, store, store.path(tuned.checkpoint))


def _refuse(found: Preflight) -> None:
    for problem in found.problems:
        if problem.level == "error":
            raise PinchError(f"{problem.where}: {problem.message}", fix=problem.fix)
        say(f"{problem.level}: {problem.where}: {problem.message}")


def keep_study(study: Study, out: Path) -> None:
    """Write the study's file, to be changed and run again with more arms, doses and seeds."""
    data = study.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    write_text(
        out / STUDY,
        f"# polypinch run {out / STUDY} --out study\n# More arms, doses and seeds say more:"
        f" docs/studies.md\n{text}",
    )
