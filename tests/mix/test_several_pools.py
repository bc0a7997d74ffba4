from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.mix import Budget, Dose, MixPlan, make_mixture
from polypinch.pool import Pool, open_pool
from polypinch.translate import wanted_by_plan
from tests.pools import parallel_pool, pool_of, row, word_counter

MINE = pool_of([row(f"m{index}", "en", source="mine") for index in range(40)])
OTHER = parallel_pool(("en", "fi", "ru"), train=30, heldout=3)
FI = Dose(languages=("fi", "ru"), count=10)


def plan(**changes: Any) -> MixPlan:
    whole = {"pool": ("mine", "test"), "budget": Budget(examples=40), "doses": (FI,), "items": "disjoint"}
    return MixPlan.model_validate({**whole, **changes})


def keys(pool: Pool, made: MixPlan) -> list[tuple[str, str]]:
    table = make_mixture(made, pool, word_counter).table
    return list(zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True))


def test_base_rows_are_of_the_first_pool_and_doses_of_the_other_and_the_manifest_says_so() -> None:
    manifest = make_mixture(plan(), Pool.joined([MINE, OTHER])).manifest
    lines = {line["language"]: line["sources"] for line in manifest["languages"]}
    assert lines == {"en": {"mine": 30}, "fi": {"test": 5}, "ru": {"test": 5}}
    assert [pool["fingerprint"] for pool in manifest["pools"]] == [MINE.fingerprint, OTHER.fingerprint]


def test_a_translation_joins_its_item_in_another_pool() -> None:
    translated = pool_of([row(f"m{index}", "fi", source="mine") for index in range(40)])
    made = plan(items="parallel", doses=(Dose(languages=("fi",), count=10),))
    mixed = keys(Pool.joined([MINE, translated]), made)
    assert len({item for item, _ in mixed}) == 40
    whole = pool_of([*MINE.select().to_pylist(), *translated.select().to_pylist()])
    assert mixed == keys(whole, made)


def test_doses_stay_nested_and_the_files_of_a_joined_pool_read_as_its_tables_do(tmp_path: Path) -> None:
    for name, pool in (("mine", MINE), ("test", OTHER)):
        pq.write_table(pool.select(), tmp_path / f"{name}.parquet", row_group_size=7)
    joined = open_pool([str(tmp_path / "mine.parquet"), str(tmp_path / "test.parquet")])
    assert joined.split_languages() == Pool.joined([MINE, OTHER]).split_languages()
    small, large = (
        set(keys(joined, plan(doses=(Dose(languages=("fi", "ru"), count=count),)))) for count in (6, 20)
    )
    dosed = {key for key in small if key[1] != "en"}
    assert dosed < large
    assert len(dosed) == 6
    assert set(keys(joined, plan())) == set(keys(Pool.joined([MINE, OTHER]), plan()))


def test_a_control_has_the_items_of_the_doses_in_the_base_language() -> None:
    pool = Pool.joined([MINE, OTHER])
    dosed, control = keys(pool, plan()), keys(pool, plan(control=True))
    assert control == [(item, "en") for item, _ in dosed]
    lines = make_mixture(plan(control=True), pool).manifest["languages"]
    assert [(line["language"], line["sources"]) for line in lines] == [("en", {"mine": 30, "test": 10})]


def test_a_control_without_its_items_in_the_base_language_is_refused() -> None:
    finnish = pool_of([row(f"f{index}", "fi", source="finnish") for index in range(20)])
    made = plan(control=True, doses=(Dose(languages=("fi",), count=10),))
    with pytest.raises(PinchError, match=r"10 of 10 have no row in it .*'f"):
        make_mixture(made, Pool.joined([MINE, finnish]))


def test_ids_that_mean_two_things_are_refused_with_both_places() -> None:
    clash = pool_of([row("m3", "fi", source="theirs"), row("m4", "fi", source="theirs")])
    with pytest.raises(PinchError, match=r"2 ids mean two things .* 'm3' is of source 'mine'"):
        Pool.joined([MINE, clash])
    with pytest.raises(PinchError, match="1 rows stand in two pools: item 'm3' in 'en'"):
        Pool.joined([MINE, pool_of([row("m3", "en", source="mine")])])


def test_held_out_items_of_any_of_the_pools_are_not_trained_on() -> None:
    asked = row("h9", "fi", "heldout", source="theirs")
    asked["messages"] = [{"role": "user", "content": "Question m3 in en?"}]
    with pytest.raises(PinchError, match="held-out rows"):
        make_mixture(plan(doses=()), Pool.joined([MINE, OTHER, pool_of([asked])]))


def test_a_list_of_one_pool_is_that_pool(tmp_path: Path) -> None:
    assert plan(pool=["mine"]) == plan(pool="mine")
    assert Pool.joined([MINE]) is MINE
    with pytest.raises(ValueError, match="named twice"):
        plan(pool=["mine", "mine"])


def test_plans_of_one_pool_keep_their_fingerprints() -> None:
    made = MixPlan(pool="pinch12", budget=Budget(examples=40), doses=(FI,), items="disjoint", seed=7)
    assert fingerprint(made.identity()) == "d1b967e5de41c2a5b3cdd1e920a4a25874ab5695f1fcfd20c5bc7b10baa6b054"
    assert (
        fingerprint(made.model_dump(mode="json"))
        == "bb6f046c8ed10154e6f212e49b259d9fc596e71fdb0ad1ab26aa102d6421ccf9"
    )


def test_without_some_items_holds_in_every_part() -> None:
    less = Pool.joined([MINE, OTHER]).without(pa.array(["m0", "m1", "t0"]), "aside")
    assert less.split_languages()["train"] == {"en": 38 + 29, "fi": 29, "ru": 29}
    assert less.base("en").split_languages()["train"] == {"en": 38}


def test_only_the_base_pools_rows_are_wanted_in_translation() -> None:
    made = plan(items="parallel")
    wanted = wanted_by_plan(made, Pool.joined([MINE, OTHER]))
    assert Counter(row.language for row in wanted) == {"fi": 5, "ru": 5}
    assert {row.source for row in wanted} == {"mine"}
