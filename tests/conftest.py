"""Tiny models run fastest on one thread: on two, threads spend their time waiting for each other."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.studies import tiny_study

__all__ = ["tiny_study"]
