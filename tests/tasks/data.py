"""Small tasks in their published layouts, made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TAGS = ("en", "es", "fi", "ru")


def mgsm(folder: Path, tags: tuple[str, ...] = TAGS, items: int = 6) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for tag in tags:
        lines = [f"{tag}: Ann has {n} eggs and buys 2. How many?\t{n + 2}" for n in range(items)]
        (folder / f"mgsm_{tag}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def xcopa(folder: Path, tags: tuple[str, ...] = TAGS, items: int = 6) -> Path:
    for tag in tags:
        rows = [
            {
                "premise": f"{tag} premise {n}.",
                "choice1": f"{tag} rain {n}.",
                "choice2": f"{tag} quite another choice {n}.",
                "question": ("cause", "effect")[n % 2],
                "label": n % 2,
                "idx": n,
                "changed": False,
            }
            for n in range(items)
        ]
        (folder / tag).mkdir(parents=True, exist_ok=True)
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"
        (folder / tag / f"test.{tag}.jsonl").write_text(text, encoding="utf-8")
        (folder / tag / f"val.{tag}.jsonl").write_text(text, encoding="utf-8")
    return folder


def xquad(folder: Path, tags: tuple[str, ...] = TAGS, items: int = 6) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for tag in tags:
        questions: list[dict[str, Any]] = [
            {
                "id": f"q{n}",
                "question": f"{tag} who won game {n}?",
                "answers": [{"answer_start": 0, "text": f"Team {n}"}],
            }
            for n in range(items)
        ]
        paragraph = {"context": f"\ufeff{tag}: Team 0 to Team {items} won.", "qas": questions}
        data = {"version": "1.1", "data": [{"title": "t", "paragraphs": [paragraph]}]}
        (folder / f"xquad.{tag}.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return folder
