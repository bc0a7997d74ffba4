from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml

from polypinch.errors import PinchError
from polypinch.specs import load_yaml, validate
from polypinch.study import Study, ladder
from tests.studies import write_study


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aarms": []}, r"unknown key 'aarms'[\s\S]*did you mean 'arms'\?"),
        ({"tuning": {"epoch": 1}}, r"unknown key 'tuning\.epoch'[\s\S]*did you mean 'epochs'\?"),
        ({"languages": {"seen": ["xx"]}}, r"languages: unknown language 'xx'"),
        ({"languages": {"seen": ["Finnish"]}}, r"use the tag 'fi'"),
        ({"languages": {"seen": ["en"]}}, "en is the base"),
        ({"languages": {"seen": ["es"], "unseen": ["es"]}}, "named twice"),
        ({"comparison": {"against": "nobody"}}, "no arm 'nobody'"),
        ({"arms": [{"name": "a"}, {"name": "a"}]}, "two arms are named a"),
        ({"arms": [{"name": "untuned"}]}, "the name untuned is taken"),
        ({"arms": [{"name": "a", "tuning": {"rnak": 3}}]}, "unknown key 'rnak'"),
        (
            {"arms": [{"name": "a", "doses": [{"languages": ["es"], "dose": 1}]}]},
            "unknown key 'arms.0.doses.0.dose'",
        ),
        ({"arms": [{"name": "a", "control_of": "b"}]}, "no arm 'b' with doses"),
        ({"arms": [{"name": "a"}, {"name": "b", "control_of": "a"}]}, "no arm 'a' with doses"),
        ({"pool": []}, "no pool is named"),
        ({"pool": ["a.parquet", "a.parquet"]}, "a pool is named twice"),
        ({"seeds": [1, 1]}, "a seed is named twice"),
        ({"seeds": [-1]}, "seeds"),
        ({"seeds": [10**30]}, "seeds"),
        ({"arms": [{"name": "a" * 300}]}, "arms.0.name"),
        ({"comparison": {"tie_margin": float("inf")}}, "comparison.tie_margin"),
        ({"loss_margin": float("nan")}, "loss_margin"),
        ({"budget": {"examples": 10**30}}, "beyond"),
        ({"budget": {"examples": 10, "tokens": 5}}, "examples and tokens are given"),
    ],
)
def test_a_mistake_is_named_with_its_fix(
    tiny_study: dict[str, Any], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(PinchError, match=message):
        load_yaml(write_study(tmp_path / "study.yaml", tiny_study, **changes), Study)


def test_an_arm_changes_what_it_sets_and_no_more(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    arms = [{"name": "a"}, {"name": "b", "tuning": {"rank": 4}}]
    changes = {"arms": arms, "comparison": {"against": "a"}}
    study = load_yaml(write_study(tmp_path / "study.yaml", tiny_study, **changes), Study)
    assert study.recipe(study.arms[0]) == study.tuning
    assert study.recipe(study.arms[1]) == study.tuning.model_copy(update={"rank": 4})


def test_a_control_is_the_baseline_where_no_other_arm_is_without_doses(tiny_study: dict[str, Any]) -> None:
    dosed = {"name": "pinch", "doses": [{"languages": ["fi"], "count": 4}]}
    more = {"name": "more", "doses": [{"languages": ["fi"], "count": 8}]}
    control = {"name": "control", "control_of": "pinch"}
    other = {"name": "other", "control_of": "more"}

    def baselines(*arms: dict[str, Any]) -> list[str]:
        given = {**tiny_study, "arms": list(arms), "comparison": {"against": "untuned"}}
        study = validate(given, Study, "study")
        return [arm.name for arm in study.arms if study.is_baseline(arm)]

    assert baselines(control, dosed) == ["control"]
    assert baselines({"name": "english"}, control, dosed) == ["english"]
    assert baselines(control, dosed, more, other) == []


def test_a_control_is_one_line_and_no_dose(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    dosed = {"name": "pinch", "doses": [{"languages": ["es"], "count": 4}], "items": "disjoint"}
    arms = [{"name": "english"}, dosed, {"name": "control", "control_of": "pinch"}]
    study = load_yaml(write_study(tmp_path / "study.yaml", tiny_study, arms=arms), Study)
    english, pinch, control = study.arms
    assert study.plan(control, 1) == study.plan(pinch, 1).model_copy(update={"control": True})
    assert [study.is_baseline(arm) for arm in study.arms] == [True, False, False]
    assert ladder(study, english.name) == (["pinch"], ["control"])


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\xfe", "not UTF-8"), (b"a: [", "not YAML"), (b"", "holds no keys")]
)
def test_a_file_that_is_no_study_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(PinchError, match=f"study.yaml: {message}"):
        load_yaml(path, Study)
    with pytest.raises(PinchError, match="no such file"):
        load_yaml(tmp_path / "none.yaml", Study)


def test_a_dash_is_standard_input(tiny_study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(content: str) -> Study:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        return load_yaml(Path("-"), Study)

    assert piped(yaml.safe_dump(tiny_study)) == Study.model_validate(tiny_study)
    with pytest.raises(PinchError, match="standard input: holds no keys"):
        piped("")


def test_an_arm_may_have_a_base_language_of_its_own(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    arms = [{"name": "english"}, {"name": "only-fi", "base": "fin"}]
    changes = {"arms": arms, "comparison": {"against": "monolingual"}}
    study = load_yaml(write_study(tmp_path / "study.yaml", tiny_study, **changes), Study)
    english, finnish = study.arms
    assert (study.plan(english, 1).base, study.plan(finnish, 1).base) == ("en", "fi")
    assert (study.is_baseline(english), study.is_baseline(finnish)) == (True, False)
    opponent = study.monolingual[study.evaluated.index("fi")]
    assert study.plan(opponent, 1) == study.plan(finnish, 1)


def test_a_key_that_stands_twice_is_refused_with_both_lines(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    path = write_study(tmp_path / "s.yaml", tiny_study)
    lines = path.read_text().count("\n")
    path.write_text(path.read_text() + "seeds: [1, 2, 3]\n")
    with pytest.raises(PinchError, match=rf"seeds stands twice, in lines \d+ and {lines + 1}"):
        load_yaml(path, Study)
