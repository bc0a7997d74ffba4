"""The pre-flight of a study: everything that can be refused or foreseen before the first step."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.answer import require_engine
from polypinch.chat import Problem, check_rows, encode_with_keys, notices
from polypinch.errors import PinchError
from polypinch.files import canonical_json
from polypinch.mix import Mixture
from polypinch.report import refuse_small_address_space
from polypinch.stats import expected_tunings
from polypinch.study.artifacts import Kind
from polypinch.study.contexts import beyond_contexts
from polypinch.study.graph import build
from polypinch.study.inputs import Inputs
from polypinch.study.searching import arms_by_dose
from polypinch.study.spec import MONOLINGUAL, Arm, Design, Study
from polypinch.study.speed import measure
from polypinch.study.spending import Speed, mean_seconds
from polypinch.study.store import Store
from polypinch.tasks import TaskSet, as_answer
from polypinch.tracking import require_trackers
from polypinch.tune import Base, try_adapters

# LoRA's checkpoints hold fp32 adapters and AdamW's two moments; two of them stand at a time.
_BYTES_PER_TRAINED = 4 * (1 + 2 * 3)

# Below this many items further items tell more than further seeds.
_FEW_ITEMS = 32
_ENOUGH_ITEMS = 64


@dataclass
class Preflight:
    """What a study would do.

    Attributes:
        problems: errors stop it; warnings are for the reader.
        mixtures: per arm its manifest, of the first seed and model.
        tokens: tokens to be tuned on, over arms, seeds and epochs; to be scored, a task's prompts included;
            and at most to be drawn.
        tasks: of each its name, items, languages, metric, and where the wording is from.
        trainings: ``most`` that the study does, opponents included; of an adaptive design also how many are
            ``expected`` where half of the doses work, and ``where_nothing_works``, by simulation.
        judging: what a language model as judge would be asked, at most: calls, tokens, dollars.
        seconds: estimated time, the judge's aside, or ``None`` where speed was not measured.
        seconds_for: the same of what is ``tuned`` on, ``scored`` and ``drawn``.
        disk_bytes: estimated space, weights of the base aside.
        disk_free: bytes free where the study would write.
    """

    problems: list[Problem] = field(default_factory=list)
    mixtures: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    trainings: dict[str, int] = field(default_factory=dict)
    judging: dict[str, Any] | None = None
    seconds: float | None = None
    seconds_for: dict[str, float] = field(default_factory=dict)
    disk_bytes: int = 0
    disk_free: int = 0


def preflight(inputs: Inputs, out: Path, time_it: bool = True) -> Preflight:
    """Check a study and estimate its cost; nothing is written.

    Args:
        inputs: the study's inputs, opened.
        out: where the study would write.
        time_it: load each base model and time it for a few seconds.

    Raises:
        PinchError: a plan is impossible, or held-out items are trained on; with the numbers.
    """
    study = inputs.study
    found = Preflight()
    opponents = study.comparison.against == MONOLINGUAL and inputs.is_compared
    arms = (*study.arms, *study.monolingual) if opponents else study.arms
    # Arms of the same mixture and recipe share their tuning.
    tuned_tokens: dict[str, int] = {}
    alone = 0
    for shown in study.models:
        for arm in arms:
            model = arm.model or shown
            chat, recipe = inputs.chats[model], study.recipe(arm)
            for seed in study.seeds:
                plan = study.plan(arm, seed)
                mixture = inputs.mixture(model, plan, recipe.max_length, keep=True)
                if arm.name not in found.mixtures:
                    found.mixtures[arm.name] = mixture.manifest
                    found.problems += [] if _has_control(study, arm) else _confounded(arm, mixture)
                    found.problems += notices(chat, mixture.table, f"arm {arm.name}")
                tokens = sum(line["tokens"] for line in mixture.manifest["languages"])
                key = canonical_json([model, plan.model_dump(mode="json"), recipe.model_dump(mode="json")])
                alone += arm not in study.arms and key not in tuned_tokens
                tuned_tokens[key] = tokens * recipe.epochs
                found.problems += [
                    Problem(p.level, f"arm {arm.name}, seed {seed}: {p.where}", p.message, p.fix)
                    for p in check_rows(chat, encode_with_keys(chat, mixture.table, recipe.max_length))
                ]
    for name, chat in inputs.chats.items():
        found.problems += notices(chat, inputs.heldout, f"held-out items, in the format of {name}")
    found.problems += _limits(inputs)
    found.problems += beyond_contexts(inputs)
    for one in inputs.tasks:
        found.problems += _of_task(one)
        about = {"name": one.name, "items": len(one.item_ids), "languages": list(one.languages)}
        found.tasks.append({**about, "metric": one.metrics[0], "wording": dict(one.wording)})
    # An opponent is evaluated in its own language alone, and where an arm is tuned alike not at all.
    evaluations = len(study.models) * (1 + len(study.seeds) * len(study.arms)) + alone / len(study.evaluated)
    scored, drawn = (round(tokens * evaluations) for tokens in _evaluated_tokens(inputs))
    on_tasks = len(study.models) * (1 + len(study.seeds) * len(study.arms))
    read, written = _task_tokens(inputs)
    found.tokens = {
        "tuned": sum(tuned_tokens.values()),
        "scored": scored + read * on_tasks,
        "drawn": drawn + written * on_tasks,
    }
    whole = build(inputs, Store(out))
    found.trainings = _trainings(inputs, found, sum(one.kind is Kind.TUNE for one in whole.stages()))
    needs: tuple[tuple[str, Callable[[], None]], ...] = (
        ("answering", lambda: require_engine(study.answering.engine)),
        ("tuning", lambda: require_trackers(study.tuning.report_to)),
        ("the report", refuse_small_address_space),
    )
    for where, need in needs:
        try:
            need()
        except PinchError as error:
            found.problems.append(Problem("error", where, error.message, error.fix or ""))
    _estimate(inputs, found, out, time_it)
    if inputs.people is not None:
        found.problems += inputs.people.problems()
    if inputs.judging is not None:
        found.problems += inputs.judging.problems()
        longest = study.answering.max_new_tokens
        found.judging = inputs.judging.at_most(len(whole.compared), inputs.conversations(), longest)
    return found


def _trainings(inputs: Inputs, found: Preflight, most: int) -> dict[str, int]:
    """Return how many trainings are done at most, and how many an adaptive design is expected to do."""
    study = inputs.study
    if study.design is Design.FIXED:
        return {"most": most}
    if not inputs.has_references:
        message = "design: adaptive decides by held-out loss, and the held-out items have no references"
        fix = "add reference responses, or leave the design fixed"
        found.problems.append(Problem("error", "design", message, fix))
        return {"most": most}
    amounts = {
        name: sum(line["examples"] for line in manifest["languages"] if line["language"] != study.base)
        for name, manifest in found.mixtures.items()
    }
    doses, seeds, models = len(arms_by_dose(study, amounts)), len(study.seeds), len(study.models)
    items = len(inputs.heldout["item_id"].unique())
    of = expected_tunings(doses, seeds, items, study.loss_margin)
    # What stands beside the ladder is trained with the seeds that the search takes: all of them at most.
    beside = most - models * doses * seeds
    return {
        "most": most,
        "expected": round(models * of.where_half_works) + beside,
        "where_nothing_works": round(models * of.where_nothing_works) + beside,
    }


def trainings_line(trainings: Mapping[str, int]) -> str:
    """Say how many trainings a study does."""
    if "expected" not in trainings:
        return f"{trainings['most']}"
    return (
        f"about {trainings['expected']} where half of the doses work, {trainings['where_nothing_works']}"
        f" where nothing does, at most {trainings['most']}; tokens and time are those of the most"
    )


def _has_control(study: Study, arm: Arm) -> bool:
    """Tell whether the study compares an arm with the same items in the base language."""
    against = next((one for one in study.arms if one.name == study.comparison.against), None)
    return against is not None and against.control_of == arm.name


def _confounded(arm: Arm, mixture: Mixture) -> list[Problem]:
    """Warn where a pinch comes from elsewhere than the base: language and domain then change together."""
    base = mixture.manifest["plan"]["base"]
    table = mixture.table
    of_base = set(table.filter(pc.equal(table["language"], base))["source"].to_pylist())
    of_pinch = set(table.filter(pc.not_equal(table["language"], base))["source"].to_pylist())
    if not of_base or not of_pinch or of_pinch <= of_base:
        return []
    message = (
        f"the pinch comes from {', '.join(sorted(of_pinch))}, the base from {', '.join(sorted(of_base))}:"
        " what it changes may be the domain's doing, not the language's"
    )
    return [
        Problem(
            "warning", f"arm {arm.name}", message, "use a parallel pool, so that only the language differs"
        )
    ]


def _shown(named: str | tuple[str, ...]) -> str:
    return named if isinstance(named, str) else " + ".join(named)


def _limits(inputs: Inputs) -> list[Problem]:
    study = inputs.study
    problems = []
    items = len(inputs.heldout["item_id"].unique())
    if not inputs.has_references:
        lost = "held-out loss cannot be had, only what the judge says and"
        if not inputs.is_compared:
            lost = "neither held-out loss nor the judge 'reference' can be had, only"
        problems.append(
            Problem(
                "warning",
                f"held-out items of {_shown(study.heldout.pool or study.pool)}",
                f"they have no reference responses: {lost} the language of the answers",
                "add reference responses",
            )
        )
    if items < _ENOUGH_ITEMS:
        message = f"{items} held-out items resolve only large differences in scores and fidelity"
        fix = f"hold out {_ENOUGH_ITEMS} or more: they tell more than further seeds do, and cost less"
        problems.append(Problem("warning", "heldout", message, fix))
    if items < _FEW_ITEMS and len(study.seeds) > 2:
        message = f"{items} held-out items with {len(study.seeds)} seeds: items are cheap and seeds are dear"
        fix = "hold out 64 items, and train with 2 seeds: that tells more with fewer trainings"
        problems.append(Problem("warning", "heldout", message, fix))
    if len(study.seeds) < 2:
        message = "one seed speaks of that one training alone: an arm's effect may be its luck"
        problems.append(Problem("warning", "seeds", message, "use 2 seeds"))
    return problems


def _evaluated_tokens(inputs: Inputs) -> tuple[int, int]:
    chat = next(iter(inputs.chats.values()))
    rows: pa.Table = inputs.heldout
    scored = 0
    if inputs.has_references:
        scored = sum(map(len, chat.encode_each(rows["messages"].to_pylist())))
    sampling = inputs.study.answering
    return scored, inputs.answered.num_rows * sampling.max_new_tokens * sampling.samples


def _of_task(tasks: TaskSet) -> list[Problem]:
    """Warn of what a task's numbers hang on."""
    found = []
    where = f"task {tasks.name}"
    items = len(tasks.item_ids)
    if items < 100:
        message = f"{items} items resolve only large differences"
        found.append(Problem("warning", where, message, "take more items"))
    if tasks.left_out:
        message = f"{tasks.left_out} items are not in all of {', '.join(tasks.languages)} and are left out"
        found.append(Problem("warning", where, message, "name fewer languages to take more items"))
    neutral = [tag for tag, origin in tasks.wording.items() if origin == "neutral"]
    if neutral:
        message = f"no wording is built in for {', '.join(neutral)}: items are asked without any"
        found.append(Problem("warning", where, message, "give one (prompts: {tag: …}) to ask all alike"))
    return found


def _task_tokens(inputs: Inputs) -> tuple[int, int]:
    """Return how many tokens are read, and at most drawn, in one evaluation on all tasks."""
    chat = next(iter(inputs.chats.values()))
    read = written = 0
    for tasks in inputs.tasks:
        for one in tasks.items:
            prompt = len(chat.encode_prompt(one.messages))
            choices = (chat.encode([*one.messages, as_answer(choice)]) for choice in one.choices)
            read += sum(map(len, choices)) if one.choices else prompt
        written += len(tasks.items) * tasks.task.longest
    return read, written


def _estimate(inputs: Inputs, found: Preflight, out: Path, time_it: bool) -> None:
    study = inputs.study
    kept = most = 0
    speeds: list[Speed] = []
    for model in inputs.models.values():
        base = Base(model, study.tuning.precision)
        chat = inputs.chats[model.name]
        try_adapters(base, chat, study.tuning)
        if time_it:
            whole = sum(weight.numel() for weight in base.plain().parameters())
            loaded = base.trainable(study.tuning)
            adapter = sum(weight.numel() for weight in loaded.parameters() if weight.requires_grad)
            for name in found.mixtures:
                arm = next((arm for arm in study.arms if arm.name == name), Arm(name=name))
                if model.name not in ((arm.model,) if arm.model else study.models):
                    continue
                full = study.recipe(arm).method == "full"
                kept += len(study.seeds) * (whole if full else adapter) * 4
                most = max(most, (whole if full else adapter) * _BYTES_PER_TRAINED)
            speeds.append(measure(loaded, chat))
        base.release()
    if speeds:
        found.seconds_for = mean_seconds(speeds, found.tokens)
        found.seconds = sum(found.seconds_for.values())
    found.disk_bytes = kept + most + 50_000_000
    folder = out
    while not folder.exists():
        folder = folder.parent
    found.disk_free = shutil.disk_usage(folder).free
    if found.disk_bytes > found.disk_free:
        found.problems.append(
            Problem(
                "error",
                str(out),
                f"about {found.disk_bytes / 1e9:.1f} GB are needed, {found.disk_free / 1e9:.1f} GB are free",
                "free space or choose another folder",
            )
        )
