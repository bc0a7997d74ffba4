"""Files and replies of strangers: whatever they hold is read, or refused in our own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.judge import load_judge
from polypinch.judge.cost import load_prices
from polypinch.judge.folder import JudgeSettings
from polypinch.judge.interchange import read_judged, read_model_answers, read_model_outputs
from polypinch.judge.labels import read_labels
from polypinch.languages import language
from polypinch.mix import MixPlan
from polypinch.openai_server import Endpoint
from polypinch.probe.result import read_probe
from polypinch.server_replies import first_tokens, loaded
from polypinch.specs import load_yaml
from polypinch.study import Study
from polypinch.tasks.layouts import read_rows
from polypinch.translate.prompting import load_glossary

DEEP = "[" * 3000 + "]" * 3000
LAUGHS = "a: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
ODD_YAML = {
    "no date": "name: 2001-99-99",
    "no moment": "name: 2001-12-14t99:59:43.10-05:00",
    "no number": "seeds: [0b2, 0x]",
    "no bytes": "name: !!binary §",
    "a tag of Python": "name: !!python/object/apply:os.system [id]",
    "a text as a map": "arms: !!map text",
    "a list as a set": "arms: !!set [a]",
    "a number as pairs": "arms: !!omap 3",
    "a key that is a list": "? [a]\n: b",
    "a list within itself": "arms: &a [*a]",
    "deep": f"arms: {DEEP}",
    "a thousand million": LAUGHS,
    "twice": "name: a\nname: b",
    "no text": "\x00",
    "half": 'name: "\\ud800"',
    "two documents": "a: 1\n---\nb: 2",
    "nothing": "",
}
YAML_READERS: dict[str, Callable[[Path], Any]] = {
    "study": lambda path: load_yaml(path, Study),
    "plan": lambda path: load_yaml(path, MixPlan),
    "judge": lambda path: load_yaml(path, JudgeSettings),
    "prices": load_prices,
    "glossary": load_glossary,
}


@pytest.mark.parametrize("reader", YAML_READERS)
@pytest.mark.parametrize("odd", ODD_YAML)
def test_settings_of_strangers_are_refused_by_name_at_once(tmp_path: Path, reader: str, odd: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(ODD_YAML[odd], encoding="utf-8")
    with pytest.raises(PinchError, match=r"odd\.yaml: "):
        YAML_READERS[reader](path)


JSON_READERS: dict[str, Callable[[Path], Any]] = {
    "labels": read_labels,
    "judged": read_judged,
    "outputs": lambda path: read_model_outputs(path, "en"),
    "answers": lambda path: read_model_answers(path, "en"),
    "xcopa": lambda path: read_rows(path, "xcopa"),
    "xquad": lambda path: read_rows(path, "xquad"),
    "mgsm": lambda path: read_rows(path, "mgsm"),
    "probe": read_probe,
    "json": read_json,
}
PLAUSIBLE: dict[str, list[dict[str, Any]]] = {
    "labels": [{"prompt": "p", "chosen": "a", "rejected": "b", "language": "en"}],
    "judged": [{"question_id": 1, "model_1": "a", "model_2": "b", "g1_winner": "tie", "g2_winner": "tie"}],
    "outputs": [{"instruction": "i", "output": "o", "generator": "m"}],
    "answers": [{"question_id": 1, "model_id": "m", "choices": [{"index": 0, "turns": ["a"]}]}],
    "xcopa": [{"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": 1}],
    "xquad": [{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q", "answers": [
        {"text": "c"}]}]}]}]}],
    "mgsm": [],
    "probe": [{"languages": [{"language": "en", "name": "English", "script": "Latn", "family": "x"}]}],
    "json": [],
}  # fmt: skip
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 2**63, float("nan"), float("inf"), "", "\ud800", "a\0b", "en", "x-y"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> str:
    """Return JSON that is nearly right: one value somewhere is another, or is gone."""
    if not PLAUSIBLE[name] or draw(st.integers(0, 9)) == 0:
        return draw(st.text(max_size=30) | st.just(DEEP) | odd_values.map(json.dumps))
    value = json.loads(json.dumps(PLAUSIBLE[name][0]))
    place, steps = value, draw(st.integers(1, 8))
    for step in range(steps):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        inside = isinstance(place[key], dict | list) and len(place[key])
        if not inside or step == steps - 1:
            if draw(st.booleans()) or isinstance(place, list):
                place[key] = draw(odd_values)
            else:
                del place[key]
            break
        place = place[key]
    return json.dumps(value)


@pytest.mark.parametrize("name", JSON_READERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_json_of_strangers_is_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / "odd.json"
    path.write_text(data.draw(spoilt(name)), encoding="utf-8", errors="replace")
    with suppress(PinchError):
        JSON_READERS[name](path)


ODD_SCHEMAS = ("[]", "3", "null", DEEP, '{"$schema": []}', '{"required": 3}', '{"type": 9}')
NO_PATTERN = '{"required": ["winner"], "properties": {"winner": {"pattern": "("}}}'


@pytest.mark.parametrize("schema", [*ODD_SCHEMAS, NO_PATTERN])
def test_a_judges_schema_that_cannot_be_used_is_refused(tmp_path: Path, schema: str) -> None:
    built_in = load_judge("pairwise").path
    for name in ("prompt.j2", "settings.yaml"):
        (tmp_path / name).write_bytes((built_in / name).read_bytes())
    (tmp_path / "schema.json").write_text(schema)
    with pytest.raises(PinchError, match=r"schema\.json"):
        load_judge(tmp_path)


@given(st.text(max_size=8) | st.tuples(st.text("\0", max_size=80), st.just("en")).map("".join))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example("e" + 10 * "\0")
@example("\0\0en")
def test_a_language_of_any_name_is_known_or_refused_with_its_row(tmp_path: Path, name: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"prompt": "p", "chosen": "a", "rejected": "b", "language": name}) + "\n")
    try:
        tags = read_labels(path)["language"].to_pylist()
    except PinchError as error:
        refused = error.message
        assert "row 1: " in refused
    else:
        assert language(tags[0]).tag == tags[0]


@given(odd_values)
@settings(max_examples=100, deadline=None)
def test_log_probabilities_of_any_kind_are_read_or_are_none(value: Any) -> None:
    choice = {"logprobs": {"content": [{"top_logprobs": [{"token": "A", "logprob": value}]}]}}
    assert all(isinstance(number, float) for _, number in first_tokens(choice))
    assert first_tokens({"logprobs": value}) == ()


@pytest.mark.parametrize(
    "body", ["[" * 900 + "]" * 900, '{"error": ' + "[" * 900 + "]" * 900 + "}", "9" * 5000]
)
def test_an_error_of_any_depth_is_only_an_error(body: str) -> None:
    def within(frames: int) -> Exception:
        endpoint = Endpoint("m", "http://127.0.0.1:1/v1")
        return endpoint._classified(400, {}, parsed) if not frames else within(frames - 1)

    parsed = loaded(body.encode())
    for frames in range(0, 300, 20):
        assert str(within(frames)).startswith("HTTP 400")
