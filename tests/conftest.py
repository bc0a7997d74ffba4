"""Tiny models run fastest on one thread: on two, threads spend their time waiting for each other."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test asks the Hub, whose silence takes half a minute

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

from tests.studies import tiny_study

# A machine that is busy with other work draws slowly: that is not a fault of what is drawn.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

__all__ = ["drawn_once", "tiny_study"]


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """Draw each picture once: many tests write pages of the same figures, which take most of their time."""
    import vl_convert

    names = ("vegalite_to_svg", "svg_to_pdf", "javascript_bundle")
    with patch.multiple(vl_convert, **{name: _remembering(getattr(vl_convert, name)) for name in names}):
        yield


def _remembering(draw: Callable[..., Any]) -> Callable[..., Any]:
    remembered: dict[str, Any] = {}

    @functools.wraps(draw)
    def drawn(*arguments: Any, **options: Any) -> Any:
        key = json.dumps([arguments, options], sort_keys=True)
        if key not in remembered:
            remembered[key] = draw(*arguments, **options)
        return remembered[key]

    return drawn
