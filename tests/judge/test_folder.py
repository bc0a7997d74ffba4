from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.judge import built_in_judges, load_judge


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A judge of the user's own, copied from a built-in one."""
    return Path(shutil.copytree(load_judge("pairwise").path, tmp_path / "mine"))


def test_the_built_in_judges_load() -> None:
    kinds = {name: load_judge(name).kind.name for name in built_in_judges()}
    assert kinds == {name: name for name in ("pairwise", "pairwise-token", "grade", "reference")}


def test_a_folder_is_a_judge_and_a_copy_has_the_same_version(own: Path) -> None:
    judge = load_judge(own)
    assert (judge.name, judge.kind.name, judge.measured) == ("mine", "pairwise", None)
    assert judge.version == load_judge("pairwise").version


@pytest.mark.parametrize(
    ("name", "text", "changes"),
    [
        ("prompt.j2", "\n\nBe brief.", True),
        ("prompt.fi.j2", "{{ token }}{{ prompt }}{{ first }}{{ second }}", True),
        ("settings.yaml", "\nextra: {reasoning_effort: low}\n", True),
        ("settings.yaml", "\nmodel: some-model\n", False),
        ("measured.json", '{"fi": {"agreement": 0.7}}', False),
    ],
)
def test_the_version_changes_with_what_the_judge_is_asked(
    own: Path, name: str, text: str, changes: bool
) -> None:
    before = load_judge(own).version
    with (own / name).open("a") as file:
        file.write(text)
    assert (load_judge(own).version != before) is changes


def test_a_prompt_in_the_items_language_is_taken(own: Path) -> None:
    (own / "prompt.fi.j2").write_text("Vertaa. {{ token }}{{ prompt }}{{ first }}{{ second }}")
    judge = load_judge(own)
    assert judge.prompt_in("fi").startswith("Vertaa")
    assert judge.prompt_in("fi-FI").startswith("Vertaa")
    assert judge.prompt_in("sw") == judge.template


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("settings.yaml", "kind: pairwise\ntemprature: 0", "temprature"),
        ("settings.yaml", "kind: duel", "kind"),
        ("settings.yaml", "kind: pairwise-token\nlabels: {first: A, second: A, tie: C}", "must differ"),
        ("schema.json", '{"type": "object"}', "must require 'winner'"),
        ("schema.json", '{"type": "objekt", "required": ["winner"]}', "not a JSON Schema"),
        ("prompt.j2", "{{ prompt }}", "must show"),
    ],
)
def test_a_folder_that_cannot_work_is_refused_with_its_file(
    own: Path, name: str, text: str, message: str
) -> None:
    (own / name).write_text(text)
    with pytest.raises(PinchError, match=message) as caught:
        load_judge(own)
    assert name in str(caught.value)


def test_a_judge_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="no judge 'pairwize'") as caught:
        load_judge("pairwize")
    assert "pairwise-token" in str(caught.value)
    (tmp_path / "settings.yaml").write_text("kind: pairwise")
    with pytest.raises(PinchError, match=r"prompt\.j2: no such file"):
        load_judge(tmp_path)
