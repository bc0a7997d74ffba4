from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from polypinch.errors import PinchError
from polypinch.models.finding import Model, find_model
from polypinch.probe import Probe, Texts, measure, probe, read_probe
from polypinch.publish import probe_chart, probe_html, probe_svg
from tests.tiny import tiny_model

ENGLISH = ("What is the capital of a country?", "Name three things.")
FINNISH = ("Mikä on pääkaupunki?", "Nimeä kolme asiaa.")
TEXTS = Texts(
    "two",
    "0" * 64,
    ("en", "fi"),
    ("a", "b"),
    {(item, tag): text for tag, texts in (("en", ENGLISH), ("fi", FINNISH))
     for item, text in zip("ab", texts, strict=True)},
)  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return find_model(tiny_model(tmp_path_factory.mktemp("probe") / "model"))


@pytest.fixture(scope="module")
def found(model: Model) -> Probe:
    return probe(model, TEXTS, label=None)


def bits(model: Model, text: str) -> float:
    """Sum a text's bits the plain way, with transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(model.path)
    ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
    loaded = AutoModelForCausalLM.from_pretrained(model.path, dtype=measure.Base(model).dtype)
    with torch.no_grad():
        logits = loaded(ids).logits.float()[0, :-1]
    chosen = torch.log_softmax(logits, -1).gather(-1, ids[0, 1:, None])
    return float(-chosen.sum()) / math.log(2)


def test_the_numbers_are_what_their_names_say(model: Model, found: Probe) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model.path)
    tokens = {
        tag: sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)
        for tag, texts in (("en", ENGLISH), ("fi", FINNISH))
    }
    english, finnish = found.languages
    assert finnish.tokens_per_character.value == tokens["fi"] / sum(map(len, FINNISH))
    assert finnish.token_premium.value == tokens["fi"] / tokens["en"]
    assert (english.token_premium.value, english.exposure.value) == (1.0, 1.0)
    ours, theirs = (sum(bits(model, text) for text in texts) for texts in (FINNISH, ENGLISH))
    sizes = [sum(len(text.encode()) for text in texts) for texts in (FINNISH, ENGLISH)]
    assert finnish.bits_per_byte is not None
    assert finnish.bits_per_english_byte is not None
    assert finnish.bits_per_byte.value == pytest.approx(ours / sizes[0], rel=2e-2)
    assert finnish.bits_per_english_byte.value == pytest.approx(ours / sizes[1], rel=2e-2)
    assert finnish.exposure.value == pytest.approx(theirs / ours, rel=2e-2)
    assert english.bits_per_byte == english.bits_per_english_byte
    assert (finnish.family, finnish.script, found.exposure_from) == ("Finnic", "Latn", "bits")


def test_tokens_alone_need_no_weights(model: Model, found: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "Base", None)
    alone = probe(model, TEXTS, tokenizer_only=True)
    assert alone.exposure_from == "tokens"
    for one, whole in zip(alone.languages, found.languages, strict=True):
        assert one.bits_per_byte is None
        assert one.token_premium == whole.token_premium
        assert one.exposure.value == pytest.approx(1 / one.token_premium.value)


def test_an_item_too_long_in_one_language_is_left_out_in_all(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = Texts("t", "0" * 64, TEXTS.languages, TEXTS.items, {**TEXTS.texts, ("b", "fi"): "ja " * 6000})
    short = probe(model, texts, label=None)
    assert (short.items, short.left_out) == (1, 1)
    assert short.languages[0].token_premium.n_items == 1
    monkeypatch.setattr(measure, "LONGEST", 2)
    with pytest.raises(PinchError, match="every item"):
        probe(model, texts, label=None)


def test_a_probe_is_written_and_read_back(found: Probe, tmp_path: Path) -> None:
    from polypinch.files import write_json

    write_json(tmp_path / "probe.json", found.as_dict("uriel"))
    assert read_probe(tmp_path) == read_probe(tmp_path / "probe.json") == found
    assert found.as_dict()["distances"]["genetic"][0][1] == 1
    assert found.as_dict()["distances"]["typological"] == [[None, None], [None, None]]
    (tmp_path / "other.json").write_text('{"model": "m"}')
    with pytest.raises(PinchError, match="not a probe"):
        read_probe(tmp_path / "other.json")


def test_the_chart_draws_every_language_and_its_page_fetches_nothing(found: Probe) -> None:
    svg, page = probe_svg(probe_chart(found)), probe_html(probe_chart(found))
    for text in ("English", "Finnish", "token premium", "bits per English byte"):
        assert text in svg
    assert "<script src=" not in page
    assert "<link" not in page
    assert np.isfinite(found.languages[1].exposure.low)
