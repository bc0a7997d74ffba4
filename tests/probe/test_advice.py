from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.mix import MixPlan, make_mixture
from polypinch.pool import Pool
from polypinch.probe import Advice, LanguageProbe, Probe, advise
from polypinch.specs import validate
from polypinch.stats import Estimate
from tests.pools import parallel_pool, pool_of, row

EXPOSURE = {"en": 1.0, "es": 0.9, "fi": 0.6, "ru": 0.8}


def probed(exposure: dict[str, float]) -> Probe:
    one = Estimate(1.0, 1.0, 1.0, 10, 1)
    rows = tuple(
        LanguageProbe(tag, tag, "Latn", None, one, one, None, None, Estimate(value, value, value, 10, 1))
        for tag, value in exposure.items()
    )
    return Probe("m", "0" * 64, "t", "0" * 64, 10, 0, "bits", rows)


def pool_at(folder: Path, pool: Pool) -> Pool:
    pq.write_table(pool.select(), folder / "pool.parquet")
    return Pool.from_parquet(folder / "pool.parquet")


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return pool_at(tmp_path, parallel_pool(("en", "es", "fi", "ru"), train=40, heldout=2))


def examples(advice: Advice) -> dict[str, int]:
    return {one.language: one.examples for one in advice.languages}


def test_the_plan_delivers_what_the_advice_says(pool: Pool) -> None:
    advice = advise(probed(EXPOSURE), pool, ["fi", "pt", "en"], 40)
    assert examples(advice) == {"fi": 4, "es": 4, "ru": 4}
    assert advice.answer == "Put 12 of 40 examples (30.0%) into the pinch: fi 4, es 4, ru 4."
    assert [one.why.split(" (")[0] for one in advice.languages] == [
        "a target that the pool has",
        "of the pool the likest to Portuguese, which it lacks",
        "no target's kin: it makes the pinch more varied, for targets without kin in the pool",
    ]
    plan = validate(advice.as_dict()["plan"], MixPlan, "plan")
    made = {line["language"]: line["examples"] for line in make_mixture(plan, pool).manifest["languages"]}
    assert made == {"en": 28, "fi": 4, "es": 4, "ru": 4}


def test_it_cites_what_is_known_and_promises_nothing(pool: Pool) -> None:
    advice = advise(probed(EXPOSURE), pool, ["fi"], 40)
    said = " ".join((advice.answer, *advice.facts, *advice.limits))
    for part in ("2401.01854", "r = 0.22", "2 to 4 languages", "not a measurement", "polypinch run"):
        assert part in said
    assert "Glottolog" in advice.source
    assert advice.targets == ("Finnish (fi): in the pool, 40 rows; exposure 0.60 by bits",)


def test_a_larger_budget_keeps_the_languages_of_a_smaller(pool: Pool) -> None:
    found = [examples(advise(probed(EXPOSURE), pool, ["fi", "ru", "es", "pt"], n)) for n in (8, 16, 24, 40)]
    assert [len(one) for one in found] == [1, 2, 3, 3]
    for fewer, more in pairwise(found):
        assert list(fewer) == list(more)[: len(fewer)]
    cut = advise(probed(EXPOSURE), pool, ["fi", "ru", "es"], 8)
    assert any("does not stretch" in limit for limit in cut.limits)


def test_a_language_with_few_translations_takes_no_more_than_it_has(tmp_path: Path) -> None:
    pool = pool_at(
        tmp_path,
        parallel_pool(
            ("en", "fi", "ru"), train=2000, without=lambda item, tag: tag != "en" and int(item[1:]) > 6
        ),
    )
    advice = advise(probed(EXPOSURE), pool, ["fi"], 2000)
    assert examples(advice) == {"fi": 7}


def test_a_pool_without_translations_gives_other_items_and_says_what_that_confounds(tmp_path: Path) -> None:
    rows = [row(f"{tag}{index}", tag) for tag in ("en", "fi") for index in range(20)]
    advice = advise(probed(EXPOSURE), pool_at(tmp_path, pool_of(rows)), ["fi"], 20)
    assert advice.plan is not None
    assert advice.plan.items == "disjoint"
    assert any("cannot be told apart" in limit for limit in advice.limits)


@pytest.mark.parametrize(
    ("targets", "budget", "message"),
    [
        (["en"], 40, "no target but English"),
        (["fi"], 41, "40 English"),
        (["fi"], 7, "needs 8"),
        (["xx"], 40, "unknown language"),
    ],
)
def test_what_cannot_be_advised_is_refused(pool: Pool, targets: list[str], budget: int, message: str) -> None:
    with pytest.raises(PinchError, match=message):
        advise(probed(EXPOSURE), pool, targets, budget)


def test_a_pool_of_english_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="no other language"):
        advise(probed(EXPOSURE), pool_at(tmp_path, parallel_pool(("en",), train=20)), ["fi"], 20)
