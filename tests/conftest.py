"""Tiny models run fastest on one thread: on two, threads spend their time waiting for each other."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test asks the Hub, whose silence takes half a minute

from tests.studies import tiny_study

__all__ = ["tiny_study"]
