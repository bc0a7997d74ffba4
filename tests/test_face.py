"""What ``help(polypinch)`` shows is the way, and it can be gone."""

from __future__ import annotations

import contextlib
import inspect
import re
from pathlib import Path
from typing import Any

import yaml

import polypinch
from polypinch.files import read_json
from tests.tiny import tiny_model

DOC = inspect.cleandoc(polypinch.__doc__ or "")
BLOCKS = [inspect.cleandoc(block) for block in re.findall(r"(?:^    .*\n|^\n)+", DOC + "\n", re.MULTILINE)]


def test_it_fits_a_screen_and_every_room_is_there() -> None:
    assert len(DOC.splitlines()) <= 48
    for room in dir(polypinch):
        if not room.startswith("_"):
            assert getattr(polypinch, room).__doc__


def test_its_code_runs(tmp_path: Path, tiny_study: dict[str, Any]) -> None:
    code = [block for block in BLOCKS if block.startswith("from ")]
    assert len(code) == 2
    model = tiny_model(tmp_path / "model")
    quick = {"arms": tiny_study["arms"][:2], "seeds": [1]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({**tiny_study, **quick}))
    names: dict[str, Any] = {}
    with contextlib.chdir(tmp_path):
        for block in code:
            exec(compile(block.replace("gemma-3-270m", model), "help", "exec"), names)
        assert names["told"].num_rows == 8
        assert names["findings"] == read_json(Path("study/findings.json"))
