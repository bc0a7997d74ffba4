from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.languages.tags import PAPER_LANGUAGES
from polypinch.mix.mixture import quotas
from polypinch.paper import PRESETS, Setup, Stock, as_yaml, estimate_cost, set_up, take_stock
from polypinch.paper.setup import PAPER_SLAVIC
from polypinch.pool import open_pool
from polypinch.specs import validate
from polypinch.study import Speed, Study, open_inputs, preflight
from tests.tiny import tiny_model

ROWS = dict.fromkeys((*PAPER_LANGUAGES, *PAPER_SLAVIC), 10_000)
LARGE = Stock("large", ROWS, ROWS)
NEEDS = {"family": 0, "languages": 4, "pairs": 4} | dict.fromkeys(
    ("half", "dose-ladder", "replace-vs-add", "parallel-vs-disjoint", "techniques", "seeds"), 3
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_model(tmp_path_factory.mktemp("paper") / "model")


def on_pinch12(model: str = "m", size: str = "tiny", tags: tuple[str, ...] = ()) -> Setup:
    return set_up(model, take_stock("pinch12", open_pool("pinch12")), size, tags)


def make(name: str, size: str, tags: tuple[str, ...] = ()) -> Study:
    return PRESETS[name].make(set_up("m", LARGE, size, tags))


def amounts(study: Study) -> dict[str, int]:
    """Return each arm's examples that are not in its base."""
    return {
        arm.name: int(sum(quota.amount for quota in quotas(study.plan(arm, 1)).values()))
        for arm in study.arms
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_tiny_experiment_on_pinch12_passes_its_preflight(name: str, model: str, tmp_path: Path) -> None:
    study = PRESETS[name].make(on_pinch12(model))
    # The tiny tokenizer has hardly more than bytes, so its rows are long.
    study = study.model_copy(update={"tuning": study.tuning.model_copy(update={"max_length": 8192})})
    found = preflight(open_inputs(study), tmp_path, time_it=False)
    assert [problem for problem in found.problems if problem.level == "error"] == []
    assert set(found.mixtures) >= {arm.name for arm in study.arms}
    for arm in study.arms:
        added = amounts(study)[arm.name] if arm.placement == "add" else 0
        assert found.mixtures[arm.name]["rows"] == study.budget.amount + added


@pytest.mark.parametrize("size", ["tiny", "small", "paper"])
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_written_is_read_back_the_same(name: str, size: str) -> None:
    setup = set_up("m", LARGE, size)
    study = PRESETS[name].make(setup)
    text = as_yaml(study, PRESETS[name], setup)
    assert validate(yaml.safe_load(text), Study, name) == study
    assert all(len(line) <= 110 for line in text.splitlines() if line.startswith("#"))
    assert PRESETS[name].where.split(",")[0] in text


def test_the_pinch_is_the_papers_at_its_size() -> None:
    study = make("pinch", "paper")
    found = amounts(study)
    assert (found["english"], found["pinch-40"]) == (0, 40)
    # Eleven of twelve languages are not English.
    assert (found["p10"], found["p100"]) == (round(4640 * 11 / 120), round(4640 * 11 / 12))
    assert list(found) == ["english", "pinch-40", *(f"p{10 * step}" for step in range(1, 11))]
    assert (study.budget.examples, study.heldout.items) == (4640, 617)
    assert study.comparison.against == "monolingual"


def test_the_half_is_the_papers_with_its_languages_and_the_first_of_others() -> None:
    study = make("half", "paper")
    assert set(study.languages.seen) == {"ar", "fi", "it", "ru", "sw"}
    assert set(study.languages.unseen) == {"cs", "et", "he", "hi", "es", "zh"}
    other = make("half", "small", ("pl", "en", "sk", "sr", "hr"))
    assert (other.languages.seen, other.languages.unseen) == (("pl", "sk"), ("sr", "hr"))


def test_one_to_six_languages_share_a_budget_evenly_in_several_orderings() -> None:
    study = make("languages", "paper")
    assert len(study.arms) == 3 * 5 + 1
    for arm in study.arms:
        plan = study.plan(arm, 1)
        count = int(arm.name.rsplit("k", 1)[1])
        tags = {plan.base, *quotas(plan)}
        assert len(tags) == count
        assert tags <= {"en", *study.languages.seen}
        sizes = [quota.amount for quota in quotas(plan).values()]
        assert all(abs(size - 4640 / count) <= 1 for size in [*sizes, 4640 - sum(sizes)])
    firsts = [study.arms[start].base for start in (0, 5, 10)]
    assert len(set(firsts)) > 1


def test_pairs_stand_beside_each_of_their_languages_alone() -> None:
    study = make("pairs", "paper")
    paired = [arm for arm in study.arms if arm.doses]
    members = [tag for arm in paired for tag in (study.plan(arm, 1).base, *arm.doses[0].languages)]
    assert sorted(members) == sorted(PAPER_LANGUAGES)
    assert {arm.base for arm in study.arms if not arm.doses} == set(members)


def test_the_family_is_the_papers_where_the_pool_has_it() -> None:
    study = make("family", "paper")
    assert study.evaluated == PAPER_SLAVIC
    assert [arm.base for arm in study.arms] == list(PAPER_SLAVIC)
    text = as_yaml(PRESETS["family"].make(on_pinch12()), PRESETS["family"], on_pinch12())
    assert "lacks sr, hr, sl, pl, sk" in text


def test_the_ladder_doubles_from_five_and_ends_in_an_even_mixture() -> None:
    found = amounts(make("dose-ladder", "paper"))
    assert [found[f"pinch-{5 * 2**step}"] for step in range(10)] == [5 * 2**step for step in range(10)]
    assert (found["english"], found["mixed"]) == (0, round(4640 * 5 / 6))
    assert found["share-10"] == 464
    assert list(found.values()) == sorted(set(found.values()))


def test_two_ways_differ_in_the_way_alone() -> None:
    for name, field, ways in (
        ("replace-vs-add", "placement", {"replace", "add"}),
        ("parallel-vs-disjoint", "items", {"parallel", "disjoint"}),
    ):
        arms = make(name, "small").arms[1:]
        for first, second in zip(arms[::2], arms[1::2], strict=True):
            assert {getattr(first, field), getattr(second, field)} == ways
            assert first.doses == second.doses


@given(
    name=st.sampled_from(sorted(PRESETS)),
    size=st.sampled_from(["tiny", "small", "paper"]),
    tags=st.lists(st.sampled_from(sorted(ROWS)), unique=True, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_any_languages_give_a_valid_study_or_a_refusal_with_the_number(
    name: str, size: str, tags: list[str]
) -> None:
    if 0 < len(tags) < NEEDS.get(name, 2):
        with pytest.raises(PinchError, match=f"{name} needs {NEEDS.get(name, 2)} languages or more"):
            make(name, size, tuple(tags))
        return
    study = make(name, size, tuple(tags))
    assert len({arm.name for arm in study.arms}) == len(study.arms)
    assert study == make(name, size, tuple(tags))
    if tags and name != "family":
        assert set(study.evaluated) == set(tags)


@pytest.mark.parametrize(
    ("name", "size", "tags", "message"),
    [
        ("pinch", "small", (), r"1,000 training rows are needed, 200 are there in en"),
        ("half", "paper", (), r"617 held-out rows are needed, 64 are there"),
        ("pinch", "tiny", ("en", "de"), r"no training and held-out rows in de; it has both in ar, cs"),
        ("half", "tiny", ("en", "fi"), r"half needs 3 languages or more, there are 2: en, fi"),
        ("pinch", "huge", (), r"no size 'huge'"),
    ],
)
def test_what_the_pool_lacks_is_refused_with_the_numbers(
    name: str, size: str, tags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(PinchError, match=message):
        PRESETS[name].make(on_pinch12("m", size, tags))


def test_a_family_that_the_pool_lacks_is_refused_with_what_it_has() -> None:
    setup = set_up("m", LARGE, family="Finnic")
    assert set(PRESETS["family"].make(setup).evaluated) == {"fi", "et"}
    with pytest.raises(PinchError, match="has 1 of Bantu with training and held-out rows: sw"):
        PRESETS["family"].make(set_up("m", LARGE, family="Bantu"))


def test_a_cost_counts_shared_tunings_once_and_tells_time_by_a_stated_speed(model: str) -> None:
    study = PRESETS["monolingual"].make(on_pinch12(model, "tiny", ("en", "it", "sw")))
    study = study.model_copy(update={"tuning": study.tuning.model_copy(update={"max_length": 8192})})
    cost = estimate_cost(study, Speed(tuned=1000, scored=1000, drawn=1000))
    assert (cost.arms, cost.tunings) == (6, 3)
    assert cost.seconds == pytest.approx(sum(cost.tokens.values()) / 1000)
    assert estimate_cost(study).seconds is None
