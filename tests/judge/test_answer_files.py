from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.judge.answer_files import read_pairs


def answers(path: Path, rows: list[dict[str, Any]], indent: int | None = None) -> Path:
    path.write_text(json.dumps([{"language": "en", **row} for row in rows], indent=indent), encoding="utf-8")
    return path


def test_ids_join_however_they_are_written_in_indented_arrays_too(tmp_path: Path) -> None:
    ours = answers(tmp_path / "a.json", [{"item_id": 1, "text": "A", "prompt": "Say it."}], indent=2)
    theirs = answers(tmp_path / "b.json", [{"item_id": "1 ", "text": "B", "prompt": "Say  it."}])
    (pair,) = read_pairs(ours, theirs, None).to_pylist()
    assert (pair["item_id"], pair["arm_text"], pair["against_text"]) == ("1", "A", "B")


def test_one_id_with_two_prompts_is_refused(tmp_path: Path) -> None:
    ours = answers(tmp_path / "a.json", [{"item_id": 1, "text": "A", "prompt": "Say it."}])
    theirs = answers(tmp_path / "b.json", [{"item_id": 1, "text": "B", "prompt": "Sing it."}])
    with pytest.raises(PinchError, match=r"'1' in 'en' has another prompt in .*a\.json than in .*b\.json"):
        read_pairs(ours, theirs, None)
