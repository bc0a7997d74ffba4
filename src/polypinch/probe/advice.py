"""Advice on a pinch before any study: from a probe, a pool, the targets and a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.languages import Source, distances, language, languages
from polypinch.mix import Budget, Dose, MixPlan, available, first_items, make_mixture
from polypinch.pool import Pool
from polypinch.probe.result import Probe
from polypinch.probe.rule import LEAST_EACH, RULE, Choice, dose, languages_afforded, ranking
from polypinch.probe.texts import ENGLISH

PAPER = "Shaham et al. (2024, arXiv 2401.01854)"
FACTS = (
    f"{PAPER}, PaLM 2-S: 40 multilingual examples among 4,640 (about 1 %) clearly raised scores in other"
    " languages, in those without an example as well.",
    "There, 2 to 4 languages sufficed to generalise to unseen ones; more added little.",
    "There, a language's share of pretraining hardly told how well tuning in it transfers (Pearson r = 0.22),"
    " and neither script nor mutual intelligibility showed a strong sign. Ji and Chen (2024, arXiv"
    " 2404.04850) often found genetic similarity to matter. So which languages is the weaker part of this"
    " advice.",
)
LIMITS = (
    "This is a rule applied to a probe, not a measurement of tuning: whether this pinch helps this model is"
    " not known. polypinch run measures it, with intervals, at several doses.",
    "Doses below 1 % and between 1 and 10 % were not tried in the paper, nor were its results repeated over"
    " seeds.",
)


@dataclass(frozen=True)
class Advised:
    """One language of the advice.

    Attributes:
        language: its tag.
        examples: how many.
        why: in words.
    """

    language: str
    examples: int
    why: str


@dataclass(frozen=True)
class Advice:
    """What to put into a pinch, and why.

    Attributes:
        basis: ``probe``, the rule; or ``study``, what a study measured.
        answer: the advice in one sentence.
        languages: with their examples, the most useful first.
        examples: in other languages, in total.
        budget: the mixture's size in examples.
        targets: in words, what is known of each.
        rule: how it was chosen.
        source: where likeness of languages is from, with its licence; empty where none was used.
        facts: what is known from the literature.
        limits: what this cannot tell.
        plan: a mix plan that does it; ``None`` where nothing is advised.
    """

    basis: Literal["probe", "study"]
    answer: str
    languages: tuple[Advised, ...]
    examples: int
    budget: int
    targets: tuple[str, ...]
    rule: str
    source: str
    facts: tuple[str, ...]
    limits: tuple[str, ...]
    plan: MixPlan | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, JSON-able."""
        plan = self.plan.model_dump(mode="json", exclude_defaults=True) if self.plan else None
        return {**asdict(self), "plan": plan}


def advise(
    found: Probe, pool: Pool, targets: Sequence[str], budget: int, similarity: Source = "tree"
) -> Advice:
    """Advise on a pinch by :data:`~polypinch.probe.rule.RULE`.

    Args:
        found: the probe; targets may lie outside it.
        pool: where the mixture is to come from; nothing that it lacks is advised.
        targets: the languages that the tuned model shall serve; English, the base, is served anyway.
        budget: the mixture's size, in examples.
        similarity: where likeness of languages is from.

    Raises:
        PinchError: a target is unknown, nothing but English is targeted, or the pool cannot fill the budget.
    """
    wanted = [tag for tag in languages(list(targets)) if tag != ENGLISH]
    if not wanted:
        raise PinchError(
            "no target but English, the base", fix="name the languages to serve: --targets fi,sw"
        )
    items, rows = _rows(pool, budget)
    others = {tag: count for tag, count in rows.items() if tag != ENGLISH}
    if not others:
        raise PinchError(
            f"pool {pool.name} has no other language with {LEAST_EACH} training rows that a mixture can take",
            fix="translate some items, or name another pool",
        )
    apart = distances(sorted({ENGLISH, *wanted, *others}), similarity)
    exposure = found.exposure()
    order = ranking(wanted, others, exposure, apart, ENGLISH)
    examples = dose(budget, len(order))
    chosen = order[: languages_afforded(examples, len(order))]
    examples = min(examples, len(chosen) * min(others[choice.language] for choice in chosen))
    plan = MixPlan(
        pool=pool.name,
        base=ENGLISH,
        budget=Budget(examples=budget),
        doses=(Dose(languages=tuple(choice.language for choice in chosen), count=examples),),
        items=items,
    )
    made = {line["language"]: line["examples"] for line in make_mixture(plan, pool).manifest["languages"]}
    names = ", ".join(f"{choice.language} {made[choice.language]}" for choice in chosen)
    limits = list(LIMITS)
    if items == "disjoint":
        limits.append(
            f"Pool {pool.name} has too few translations of its English items, so other items are taken: what"
            " a language does and what its items do cannot be told apart."
        )
    missed = [choice.language for choice in order[len(chosen) :] if choice.step == "target"]
    if missed:
        limits.append(
            f"The dose does not stretch to {LEAST_EACH} examples each in {', '.join(missed)}; a larger budget"
            " adds them and drops none."
        )
    return Advice(
        "probe",
        f"Put {examples} of {budget} examples ({examples / budget:.1%}) into the pinch: {names}.",
        tuple(Advised(choice.language, made[choice.language], _why(choice, exposure)) for choice in chosen),
        examples,
        budget,
        tuple(_target(tag, others, exposure, found) for tag in wanted),
        RULE,
        apart.source,
        FACTS,
        tuple(limits),
        plan,
    )


def _rows(pool: Pool, budget: int) -> tuple[Literal["parallel", "disjoint"], dict[str, int]]:
    """Return how a mixture can take other languages from a pool, and the rows of each that it could."""
    counts = pool.split_languages().get("train", {})
    least = 2 * LEAST_EACH
    if not least <= budget <= counts.get(ENGLISH, 0):
        raise PinchError(
            f"a budget of {budget} examples: pool {pool.name} has {counts.get(ENGLISH, 0)} English training"
            f" rows, and a pinch needs {least} at least",
            fix="name a budget between the two, or another pool",
        )
    others = [tag for tag in counts if tag != ENGLISH]
    if not others:
        return "parallel", {}
    # The items that the plan's base takes, with the plan's own seed: only their translations are parallel.
    base = first_items(pool, ENGLISH, 0, "base", budget)
    shared = {tag: len(having) for tag, having in available(pool.find(base, others), others).items()}
    parallel = {tag: count for tag, count in shared.items() if count >= LEAST_EACH}
    if parallel:
        return "parallel", parallel
    free = {tag: _outside(pool, tag, base) for tag in others}
    return "disjoint", {tag: count for tag, count in free.items() if count >= LEAST_EACH}


def _outside(pool: Pool, tag: str, base: pa.Array) -> int:
    return len(first_items(pool, tag, 0, "pinch", len(base), exclude=base))


def _why(choice: Choice, exposure: dict[str, float]) -> str:
    serves = ", ".join(language(tag).name for tag in choice.serves if tag != choice.language)
    if choice.step == "target":
        known = exposure.get(choice.language)
        told = "its exposure is not known" if known is None else f"exposure {known:.2f}"
        return f"a target that the pool has ({told})" + (f"; also the likest to {serves}" if serves else "")
    if choice.step == "kin":
        return f"of the pool the likest to {serves}, which it lacks"
    return "no target's kin: it makes the pinch more varied, for targets without kin in the pool"


def _target(tag: str, pool: dict[str, int], exposure: dict[str, float], found: Probe) -> str:
    where = f"in the pool, {pool[tag]} rows" if tag in pool else "not in the pool"
    known = exposure.get(tag)
    told = f"exposure {known:.2f} by {found.exposure_from}" if known is not None else "not probed"
    return f"{language(tag).name} ({tag}): {where}; {told}"
