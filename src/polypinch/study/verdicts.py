"""Answers compared: one stage of verdicts for each arm and seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from polypinch.judge import VERDICT_SCHEMA, Sides, judge, quality
from polypinch.study.artifacts import VERDICTS, Kind
from polypinch.study.inputs import Inputs
from polypinch.study.judging import Judging
from polypinch.study.people import People
from polypinch.study.runs import Compared, Tuned
from polypinch.study.spec import MONOLINGUAL
from polypinch.study.store import Stage, Store

Key = tuple[str, str]
_Work = tuple[dict[str, Any], tuple[Stage, ...], Callable[[Path], None]]


def comparisons(inputs: Inputs, store: Store, arms: Sequence[Tuned], mono: Sequence[Tuned]) -> list[Compared]:
    """Return each arm's comparison, seed by seed.

    Args:
        inputs: the study's.
        store: where answers are.
        arms: of one base model, the untuned base among them.
        mono: the monolingual opponents, each of its own language and seed.
    """
    against, seeds = inputs.study.comparison.against, inputs.study.seeds
    of_seed: dict[tuple[str, int | None], list[Tuned]] = defaultdict(list)
    for arm in arms:
        of_seed[arm.arm, arm.seed].append(arm)
    mono_of_seed: dict[int | None, list[Tuned]] = defaultdict(list)
    for opponent in mono:
        mono_of_seed[opponent.seed].append(opponent)
    result = []
    for arm in arms:
        if arm.arm == against:
            continue
        for seed in seeds if arm.seed is None else (arm.seed,):
            if against == MONOLINGUAL:
                others = mono_of_seed[seed]
            else:
                others = of_seed[against, seed] or of_seed[against, None]
            verdicts = _verdicts(inputs, store, arm, others, against, seed)
            result.append(Compared(arm, against, tuple(others), verdicts))
            if arm.seed is None and all(other.seed is None for other in others):
                break
    return result


def _verdicts(
    inputs: Inputs, store: Store, arm: Tuned, others: list[Tuned], against: str, seed: int
) -> Stage:
    judging, people = inputs.judging, inputs.people
    label = f"{arm.arm}-against-{against}-s{seed}"
    sides = Sides(arm.arm, against, seed)
    if people is not None:
        spec, needs, work = _by_people(store, people, arm, others, sides)
    elif judging is None:
        spec, needs, work = _by_reference(inputs, store, arm, others, sides)
    else:
        spec, needs, work = _by_model(inputs, store, judging, arm, others, sides, label)
    limited = judging is not None and judging.spec.max_cost is not None
    about = {"model": arm.model, "arm": arm.arm, "seed": seed, **({"budget": True} if limited else {})}
    return Stage.of(Kind.VERDICTS, label, {**spec, **asdict(sides)}, needs, work, about)


def _by_model(
    inputs: Inputs,
    store: Store,
    judging: Judging,
    arm: Tuned,
    others: list[Tuned],
    sides: Sides,
    label: str,
) -> _Work:
    def work(directory: Path) -> None:
        prompts = inputs.conversations()
        ours = _texts(store, arm)
        theirs: dict[Key, str] = {}
        for other in others:
            theirs.update(_texts(store, other))
        judging.judge(directory, prompts, ours, theirs, sides, f"judge {label}")

    spec = {"judge": judging.identity, "heldout": inputs.heldout_fingerprint}
    return spec, tuple(one.answers for one in (arm, *others)), work


def _by_people(store: Store, people: People, arm: Tuned, others: list[Tuned], sides: Sides) -> _Work:
    def work(directory: Path) -> None:
        theirs: dict[Key, str] = {}
        for other in others:
            theirs.update(_texts(store, other))
        people.judge(directory, _texts(store, arm), theirs, sides)

    return {"judge": people.identity}, tuple(one.answers for one in (arm, *others)), work


def _texts(store: Store, tuned: Tuned) -> dict[Key, str]:
    table = store.read(tuned.answers)
    columns = [table[name].to_pylist() for name in ("item_id", "language", "text")]
    found = zip(*columns, strict=True)
    return {(item, tag): text for item, tag, text in found if tag in tuned.evaluated}


def _by_reference(inputs: Inputs, store: Store, arm: Tuned, others: list[Tuned], sides: Sides) -> _Work:
    margin = inputs.study.comparison.tie_margin

    def work(directory: Path) -> None:
        references, answered = inputs.references(), inputs.answered
        keys = list(zip(answered["item_id"].to_pylist(), answered["language"].to_pylist(), strict=True))
        ours = _qualities(store, arm, references)
        theirs: dict[Key, float] = {}
        texts = [_texts(store, arm), {}]
        for other in others:
            theirs.update(_qualities(store, other, references))
            texts[1].update(_texts(store, other))
        lengths = {key: (_length(texts[0].get(key)), _length(texts[1].get(key))) for key in keys}
        verdicts = judge(sides, ours, theirs, keys, margin, lengths)
        VERDICTS.write(directory, verdicts)

    spec = {
        "judge": inputs.study.comparison.judge,
        "tie_margin": margin,
        "heldout": inputs.heldout_fingerprint,
        "columns": VERDICT_SCHEMA.names,
    }
    needs = tuple(stage for one in (arm, *others) for stage in (one.answers, one.fidelity))
    return spec, needs, work


def _qualities(store: Store, tuned: Tuned, references: dict[Key, str]) -> dict[Key, float]:
    answers = store.read(tuned.answers)
    found = store.read(tuned.fidelity)
    samples: dict[Key, list[float]] = {}
    columns = [answers[name].to_pylist() for name in ("item_id", "language", "text")]
    for item, tag, text, in_language in zip(*columns, found["in_language"].to_pylist(), strict=True):
        if (item, tag) in references and tag in tuned.evaluated:
            samples.setdefault((item, tag), []).append(quality(text, references[item, tag], in_language))
    return {key: sum(values) / len(values) for key, values in samples.items()}


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)
