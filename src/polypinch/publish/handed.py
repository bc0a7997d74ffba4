"""What is handed over: a tuned model with all that is known of it, from its folder or from a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import file_sha256, is_done, read_json
from polypinch.measure import FIDELITY, LOSS, Measure
from polypinch.mix import MANIFEST_FILE, MIXTURE_FILE
from polypinch.models import Model, find_model
from polypinch.results import ArmResults, changes, estimates, read_results
from polypinch.study import MANIFEST, UNTUNED, Graph, Record, Store, axes
from polypinch.tune import SUMMARY_FILE

_SPEC = "spec.json"


@dataclass(frozen=True)
class Line:
    """One measure in one language, before and after.

    Attributes:
        measure: which.
        language: a tag, or the name of an average.
        before: what it is compared with.
        after: the arm's.
        low: lower end of the interval of the change, 95 %.
        high: its upper end.
        n_items: held-out items.
    """

    measure: Measure
    language: str
    before: float
    after: float
    low: float
    high: float
    n_items: int


@dataclass(frozen=True)
class Evidence:
    """What a study found of an arm.

    Attributes:
        against: what it is compared with.
        seeds: over how many trainings.
        lines: measure by measure, language by language.
    """

    against: str
    seeds: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Handed:
    """A tuned model and all that is known of it.

    Attributes:
        base: the base model.
        folder: of the tuning: it holds ``adapter/`` or ``model/``.
        summary: what the tuning left of itself.
        recipe: its settings.
        manifest: of the mixture, requested against delivered; ``None`` where it is not known.
        arm: its name in the study, empty where it is of none.
        seed: of the training.
        evidence: what was measured of it, or ``None``.
        notes: what else a reader must know.
    """

    base: Model
    folder: Path
    summary: Mapping[str, Any]
    recipe: Mapping[str, Any]
    manifest: Mapping[str, Any] | None
    arm: str = ""
    seed: int | None = None
    evidence: Evidence | None = None
    notes: Sequence[str] = field(default=())


def handed_of_folder(folder: Path, model: str | None = None, mixture: Path | None = None) -> Handed:
    """Read a folder that ``polypinch tune`` made.

    Args:
        folder: the tuning's.
        model: where its base is, if no longer where it was.
        mixture: the folder of the rows that it was tuned on, for the card.

    Raises:
        PinchError: it is no finished tuning, or its base or mixture is another.
    """
    if not is_done(folder) or not (folder / SUMMARY_FILE).is_file():
        raise PinchError(
            f"{folder} is no finished tuning",
            fix="name a folder that polypinch tune made, or a study's with --arm",
        )
    summary, spec = read_json(folder / SUMMARY_FILE), read_json(folder / _SPEC)
    base = _base(summary, model)
    spec = spec.get("spec", spec)
    manifest = None
    if mixture is not None:
        made_of = spec.get("mixture")
        if made_of is not None and file_sha256(mixture / MIXTURE_FILE) != made_of:
            raise PinchError(
                f"{folder} was tuned on another mixture than {mixture}",
                fix="name the mixture that it was tuned on",
            )
        manifest = read_json(mixture / MANIFEST_FILE)
    return Handed(base, folder, summary, spec.get("recipe", {}), manifest, seed=spec.get("seed"))


def handed_of_study(
    record: Record, graph: Graph, store: Store, arm: str, seed: int | None = None, model: str | None = None
) -> Handed:
    """Find an arm's tuning in a study, with what the study found of it.

    Args:
        record: what the study was about.
        graph: its steps.
        store: where they are.
        arm: which arm.
        seed: which of its trainings; the first by default.
        model: which base model; the study's first by default.

    Raises:
        PinchError: there is no such arm, seed or model, or it is not tuned yet.
    """
    study = record.study
    shown = model or study.models[0]
    runs = [run for run in graph.tuned if run.checkpoint is not None and run.model == shown]
    own = [run for run in runs if run.arm == arm]
    if not own:
        names = sorted({run.arm for run in runs if not run.arm.startswith("monolingual-")})
        raise PinchError(
            f"{study.name} has no arm {arm!r} tuned from {shown}",
            fix=f"it has {', '.join(names)}, tuned from {', '.join(study.models)}",
        )
    run = next((run for run in own if seed in (None, run.seed)), None)
    if run is None:
        raise PinchError(
            f"arm {arm} has no seed {seed}", fix=f"it has {', '.join(str(run.seed) for run in own)}"
        )
    assert run.checkpoint is not None
    assert run.mixture is not None
    if store.state(run.checkpoint) != "done":
        raise PinchError(f"arm {arm}, seed {run.seed}, is not tuned yet", fix="polypinch run goes on")
    folder = store.verified(run.checkpoint)
    spec = next(one for one in study.arms if one.name == arm)
    summary = read_json(folder / SUMMARY_FILE)
    return Handed(
        _base(summary, None),
        folder,
        summary,
        study.recipe(spec).model_dump(mode="json", exclude_defaults=True),
        store.read_json(run.mixture, MANIFEST),
        arm,
        run.seed,
        _evidence(record, graph, store, arm, shown),
    )


def _base(summary: Mapping[str, Any], model: str | None) -> Model:
    base = find_model(model or summary["base"]["name"])
    if base.fingerprint != summary["base"]["fingerprint"]:
        raise PinchError(
            f"it was tuned from {summary['base']['name']} as it then was, and {base.name} is not that",
            fix="name its base with --model",
        )
    return base


def _evidence(record: Record, graph: Graph, store: Store, arm: str, model: str) -> Evidence | None:
    """Compare an arm with the base language alone where the study has that, else with the untuned base."""
    if any(store.state(stage) != "done" for stage in graph.stages()):
        return None
    study = record.study
    baseline = next((one.name for one in study.arms if study.is_baseline(one) and one.name != arm), UNTUNED)
    results = [one for one in read_results(record, graph, store) if one.model == model]
    before = next((one for one in results if one.arm == baseline), None)
    after = next((one for one in results if one.arm == arm), None)
    if before is None or after is None:
        return None
    lines = [line for measure in (LOSS, FIDELITY) for line in _lines(record, before, after, measure)]
    return Evidence(
        baseline, len([run for run in graph.tuned if run.arm == arm and run.model == model]), tuple(lines)
    )


def _lines(record: Record, before: ArmResults, after: ArmResults, measure: Measure) -> list[Line]:
    shared = axes(record)
    change = changes(shared, before, [after], measure).get(after.arm, {})
    values = [one.values(measure) for one in (before, after)]
    if values[0] is None or values[1] is None:
        return []
    old, new = (estimates(shared, value) for value in values if value is not None)
    return [
        Line(measure, name, old[name].value, new[name].value, one.low, one.high, one.n_items)
        for name, one in change.items()
        if name in old and name in new
    ]
