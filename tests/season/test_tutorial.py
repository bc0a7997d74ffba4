"""The tutorial's commands, in its order, with a stub that translates and a tiny model."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from benchmarks.judge_stub import served
from tests.running import polypinch
from tests.season.english import write_rows
from tests.tiny import tiny_model
from tests.translate.words import WordStub

PAGE = Path(__file__).parent.parent.parent / "docs" / "start.md"
BLOCK = re.compile(r"^```\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    assert len(commands) >= 8
    write_rows(tmp_path / "rows.jsonl", 40)
    tiny_model(tmp_path / "tiny")
    (tmp_path / "quick.yaml").write_text("{epochs: 1, precision: fp32, rank: 4}\n")
    with served(WordStub()) as address:
        for line in commands:
            words = [
                {"http://127.0.0.1:8000/v1": address, "Qwen/Qwen3-0.6B-Base": "./tiny"}.get(word, word)
                for word in shlex.split(line)[1:]
            ]
            if "--tune" in words:
                words += ["--tuning", "quick.yaml", "--heldout-items", "4"]
            if words[0] == "check":
                words += ["--no-time"]
            done = polypinch(*words, cwd=tmp_path)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
    said = (tmp_path / "seasoned" / "train.jsonl").read_text(encoding="utf-8")
    assert {json.loads(line)["language"] for line in said.splitlines()} == {"en", "de", "fr", "es"}
    for named in re.findall(r"`seasoned/([\w./-]+)`|^\| `([\w.]+)`", text, re.MULTILINE):
        assert (tmp_path / "seasoned" / next(filter(None, named))).exists(), named
    assert (tmp_path / "study" / "report.html").exists()
    assert (tmp_path / "my-model" / "model.safetensors").exists()
    assert (tmp_path / "my-adapter" / "adapter_model.safetensors").exists()
