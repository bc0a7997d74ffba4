from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from polypinch.answer import EngineName, Sampling, TransformersEngine, open_engine, require_engine
from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from polypinch.tune import load_tuned
from tests.tiny import tiny_model

WITHOUT_VLLM = pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed")


def test_transformers_answers_unless_another_engine_is_named(tmp_path: Path) -> None:
    base = find_model(tiny_model(tmp_path / "model"))
    chat = ChatFormat.load(base)
    engine = open_engine(Sampling(precision="fp32"), base, None, chat, lambda: load_tuned(base, None, "fp32"))
    assert isinstance(engine, TransformersEngine)


def test_naming_the_default_engine_changes_no_fingerprint() -> None:
    named = Sampling(engine=EngineName.TRANSFORMERS)
    assert named.identity() == Sampling().identity()
    assert "engine" not in named.model_dump(mode="json")
    assert Sampling(engine=EngineName.VLLM).identity() != Sampling().identity()


@WITHOUT_VLLM
def test_an_engine_that_is_not_installed_is_refused_with_the_way_to_get_it_and_nothing_is_loaded(
    tmp_path: Path,
) -> None:
    base = find_model(tiny_model(tmp_path / "model"))

    def loaded() -> None:
        raise AssertionError("weights were loaded")

    with pytest.raises(PinchError, match="vllm is not installed") as refused:
        open_engine(Sampling(engine=EngineName.VLLM), base, None, ChatFormat.load(base), loaded)
    assert "pip install" in str(refused.value)
    require_engine(EngineName.TRANSFORMERS)
