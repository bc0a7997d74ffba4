from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.running import polypinch
from tests.studies import write_study

SECRET = "hunter2-of-nobody"


def holding(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "address", [f"http://me:{SECRET}@127.0.0.1:9/v1", f"http://127.0.0.1:9/v1?key={SECRET}"]
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_an_address_with_a_secret_is_refused_and_written_nowhere(
    command: str, address: str, tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    comparison = {"against": "english", "judge": {"model": "m", "base_url": address}}
    study = write_study(tmp_path / "study.yaml", tiny_study, comparison=comparison)
    out = tmp_path / "out"
    done = polypinch(command, study, "--out", out)
    assert done.returncode
    assert "keys come from the environment" in done.stderr + done.stdout
    assert SECRET not in done.stderr + done.stdout
    assert not holding(out)


def test_an_answering_servers_address_with_a_secret_is_refused_and_written_nowhere(tmp_path: Path) -> None:
    prompts, out = tmp_path / "prompts.jsonl", tmp_path / "answers"
    prompts.write_text('{"prompt": "Miksi?"}', encoding="utf-8")
    asked = ("--language", "fi", "--model", "m", "--base-url", f"https://me:{SECRET}@example.org/v1")
    done = polypinch("answer", prompts, "--out", out, *asked)
    assert done.returncode == 2
    assert SECRET not in done.stderr + done.stdout
    assert not [
        path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
