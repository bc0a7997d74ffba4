"""From a setup to a study: one pure function for each experiment."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.mix import Dose
from polypinch.paper.setup import Setup, of_family, refuse_shortage
from polypinch.specs import validate
from polypinch.study import MONOLINGUAL, UNTUNED, Arm, Study

# The paper's "P = 1": 40 of 4,640 examples.
_PINCH_OF_PAPER = 40 / 4640
_FIRST_STEP = 5


def monolingual(setup: Setup, name: str = "monolingual") -> Study:
    """Make a study of one model for each language, evaluated in all of them (Figure 1)."""
    setup.at_least(2, name)
    return _study(setup, name, [_only(tag) for tag in setup.languages], setup.others)


def exposure(setup: Setup) -> Study:
    """Make the study whose transfer is held against pretraining exposure (Figure 8)."""
    return monolingual(setup, "exposure")


def pinch(setup: Setup) -> Study:
    """Make a study of a growing part of the set, spread evenly over all languages (Figure 3)."""
    setup.at_least(2, "pinch")
    return _study(setup, "pinch", _growing(setup, setup.others), setup.others)


def half(setup: Setup) -> Study:
    """Make the same study with half of the languages, the others unseen (Figure 4)."""
    setup.at_least(3, "half")
    seen, unseen = setup.halves()
    return _study(setup, "half", _growing(setup, seen), seen, unseen)


def number_of_languages(setup: Setup) -> Study:
    """Make a study of one to all of half of the languages, in several orderings (Figure 5)."""
    setup.at_least(4, "languages")
    seen, unseen = setup.halves()
    pinched = (setup.base, *seen)
    arms = []
    for number in range(1, setup.size.orderings + 1):
        ordering = _shuffled(pinched, f"ordering {number}")
        for count in (count for count in setup.size.steps if count < len(pinched)):
            arms.append(_even(f"order{number}-k{count}", ordering[:count], setup))
    arms.append(_even(f"all-k{len(pinched)}", pinched, setup))
    return _study(setup, "languages", arms, seen, unseen)


def pairs(setup: Setup) -> Study:
    """Make a study of pairs of languages, half and half, beside each language alone (Figure 6)."""
    setup.at_least(4, "pairs")
    tags = _shuffled(setup.languages, "pairs")
    paired = list(zip(tags[::2], tags[1::2], strict=False))[: setup.size.pairs]
    alone = sorted({tag for both in paired for tag in both})
    arms = [*map(_only, alone), *(_even(f"pair-{a}-{b}", (a, b), setup) for a, b in paired)]
    return _study(setup, "pairs", arms, setup.others)


def family(setup: Setup) -> Study:
    """Make a study of one model for each language of a family, evaluated in the family (Figure 7)."""
    tags = of_family(setup.stock, setup.family)
    if len(tags) < 2:
        raise PinchError(
            f"family needs 2 languages or more of one branch, pool {setup.stock.pool} has {len(tags)} of"
            f" {setup.family} with training and held-out rows{': ' * bool(tags)}{', '.join(tags)}",
            fix="name another --family (polypinch knows Glottolog's branches), or a pool that has them",
        )
    return _study(setup, "family", [_only(tag) for tag in tags], tags[1:], base=tags[0])


def tuned(setup: Setup) -> Study:
    """Make a study of tuned models against the untuned base (Figure 10)."""
    setup.at_least(2, "tuned")
    arms = [*(_only(tag) for tag in setup.languages), _even("mixed", setup.languages, setup)]
    return _study(setup, "tuned", arms, setup.others, against=UNTUNED)


def dose_ladder(setup: Setup) -> Study:
    """Make a study of doubling doses in examples, and of shares, up to an even mixture."""
    setup.at_least(3, "dose-ladder")
    seen, unseen = setup.halves()
    most = _even_count(setup, len(seen) + 1)
    doses: dict[int, Arm] = {}
    count = _FIRST_STEP
    while count < most:
        doses[count] = _dosed(f"pinch-{count}", seen, count=count)
        count *= 2
    for share in setup.size.shares:
        count = round(share * setup.size.examples)
        if 0 < count < most:
            doses.setdefault(count, _dosed(f"share-{100 * share:g}", seen, share=share))
    doses[most] = _dosed("mixed", seen, count=most)
    baseline = _baseline(setup)
    arms = [baseline, *(doses[count] for count in sorted(doses))]
    return _study(setup, "dose-ladder", arms, seen, unseen, against=baseline.name)


def replace_vs_add(setup: Setup) -> Study:
    """Make a study of the same doses instead of base examples, and on top of them."""
    return _two_ways(setup, "replace-vs-add", {"replace": {}, "add": {"placement": "add"}})


def parallel_vs_disjoint(setup: Setup) -> Study:
    """Make a study of the same doses in the base's own items, and in other items."""
    return _two_ways(setup, "parallel-vs-disjoint", {"parallel": {}, "disjoint": {"items": "disjoint"}})


def techniques(setup: Setup) -> Study:
    """Make a study of one dose in several ways of tuning, each beside the base alone in the same way."""
    setup.at_least(3, "techniques")
    seen, unseen = setup.halves()
    count = setup.size.doses[0]
    baseline = _baseline(setup)
    ways: dict[str, dict[str, Any]] = {
        "": {},
        "-rank-4": {"rank": 4, "alpha": 8},
        "-rank-64": {"rank": 64, "alpha": 128},
        "-full": {"method": "full", "learning_rate": 2e-5},
    }
    dosed = _dosed(f"pinch-{count}", seen, count=count)
    arms = [
        arm.model_copy(update={"name": f"{arm.name}{way}", "tuning": tuning})
        for way, tuning in ways.items()
        for arm in (baseline, dosed)
    ]
    arms.append(dosed.model_copy(update={"name": f"{dosed.name}-after", "tuning": {"first": setup.base}}))
    arms.append(_dosed(f"{dosed.name}-4-times", seen, count=count, times=4))
    return _study(setup, "techniques", arms, seen, unseen, against=baseline.name)


def seeds(setup: Setup) -> Study:
    """Make a study of two arms over many seeds: how much is noise."""
    setup.at_least(3, "seeds")
    seen, unseen = setup.halves()
    count = setup.size.doses[0]
    baseline = _baseline(setup)
    arms = [baseline, _dosed(f"pinch-{count}", seen, count=count)]
    many = range(1, setup.size.many_seeds + 1)
    return _study(setup, "seeds", arms, seen, unseen, against=baseline.name, seeds=many)


def _two_ways(setup: Setup, name: str, ways: dict[str, dict[str, Any]]) -> Study:
    setup.at_least(3, name)
    seen, unseen = setup.halves()
    baseline = _baseline(setup)
    arms = [
        _dosed(f"{way}-{count}", seen, count=count).model_copy(update=changes)
        for count in setup.size.doses
        for way, changes in ways.items()
    ]
    return _study(setup, name, [baseline, *arms], seen, unseen, against=baseline.name)


def _growing(setup: Setup, pinched: Sequence[str]) -> list[Arm]:
    """Return the base alone, the paper's pinch, and growing shares; at the end all languages alike."""
    few = max(round(setup.size.examples * _PINCH_OF_PAPER), len(pinched))
    arms = [_baseline(setup), _dosed(f"pinch-{few}", pinched, count=few)]
    for percent in setup.size.percents:
        # A share of 10 % or more is spread over the base as well.
        count = round(_even_count(setup, len(pinched) + 1) * percent / 100)
        if count > few:
            arms.append(_dosed(f"p{percent}", pinched, count=count))
    return arms


def _even_count(setup: Setup, languages: int) -> int:
    return round(setup.size.examples * (languages - 1) / languages)


def _baseline(setup: Setup) -> Arm:
    return Arm(name=re.sub(r"[^a-z0-9]+", "-", language(setup.base).name.lower()).strip("-") or setup.base)


def _only(tag: str) -> Arm:
    return Arm(name=f"only-{tag}", base=tag)


def _dosed(name: str, pinched: Sequence[str], **amount: Any) -> Arm:
    return Arm(name=name, doses=(Dose(languages=tuple(pinched), **amount),))


def _even(name: str, tags: Sequence[str], setup: Setup) -> Arm:
    first, *rest = tags
    doses = (Dose(languages=tuple(rest), count=_even_count(setup, len(tags))),) if rest else ()
    return Arm(name=name, base=None if first == setup.base else first, doses=doses)


def _shuffled(tags: Sequence[str], purpose: str) -> list[str]:
    return random.Random(purpose).sample(sorted(tags), len(tags))


def _study(
    setup: Setup,
    name: str,
    arms: Sequence[Arm],
    seen: Sequence[str],
    unseen: Sequence[str] = (),
    *,
    against: str = MONOLINGUAL,
    base: str | None = None,
    seeds: Sequence[int] | None = None,
) -> Study:
    size = setup.size
    heldout: dict[str, Any] = {"items": size.items, "answered": size.answered}
    if setup.stock.heldout_pool is not None:
        heldout = {"pool": setup.stock.heldout_pool, **heldout}
    study = validate(
        {
            "name": name,
            "models": [setup.model],
            "pool": setup.stock.pool,
            "base": base or setup.base,
            "budget": {"examples": size.examples},
            "languages": {"seen": list(seen), "unseen": list(unseen)},
            "arms": [arm.model_dump() for arm in arms],
            "seeds": list(seeds or range(1, size.seeds + 1)),
            "tuning": dict(size.tuning),
            "answering": dict(size.answering),
            "heldout": heldout,
            "comparison": {"against": against},
        },
        Study,
        name,
    )
    refuse_shortage(study, setup.stock, size)
    return study
