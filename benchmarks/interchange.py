"""The same verdicts scored by AlpacaEval, by FastChat and by us: the win rates have to be equal."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import trainers
from benchmarks.environments import build
from polypinch.judge import ORDERS, VERDICT_SCHEMA, outcomes
from polypinch.judge.interchange import (
    pair_annotations,
    pair_judgments,
    read_judged,
    write_alpaca_eval,
    write_json_lines,
)
from polypinch.judge.labels import pair_rows, panel, read_labels

REQUIREMENTS = ("alpaca_eval==0.6.6", "fschat==0.2.36", "setuptools<81")
ARM, AGAINST = "one", "other"

# AlpacaEval's function for annotations; FastChat's command for a file of judgments.
ALPACA = """
import json, sys
from alpaca_eval.metrics import get_winrate
found = get_winrate(json.load(open(sys.argv[1])))
print(json.dumps({name: float(value) for name, value in found.items()}))
"""
FASTCHAT = "fastchat.llm_judge.show_result"


def run(labels: str = "", pairs: int = 2000, seed: int = 0, without_trainers: bool = False) -> dict[str, Any]:
    """Export verdicts, let both tools score them, and compare; and let trainers read a mixture's export.

    Args:
        labels: a file of several people's labels, taken for one judge's two orders (else verdicts are drawn)
        pairs: how many to draw
        seed: of the draw
        without_trainers: leave the benchmark `trainers` out
    """
    verdicts, texts = _of_people(Path(labels)) if labels else _drawn(pairs, seed)
    python = build("interchange", REQUIREMENTS)
    found = outcomes(verdicts)["outcome"].to_pylist()
    known = [value for value in found if value is not None]
    with tempfile.TemporaryDirectory() as folder:
        annotations, judgments = Path(folder) / "annotations.json", Path(folder) / "judge_pair.jsonl"
        write_alpaca_eval(annotations, pair_annotations(verdicts, texts))
        write_json_lines(judgments, pair_judgments(verdicts))
        alpaca = json.loads(_said(str(python), "-c", ALPACA, str(annotations)))
        table = _said(
            *(str(python), "-m", FASTCHAT, "--mode", "pairwise-all", "--input-file", str(judgments))
        )
        by_hand = _by_hand(judgments)
        ours = _ours(judgments)
    fastchat = next(line.split() for line in table.splitlines() if line.startswith(f"{ARM} "))
    return {
        "benchmark": "interchange",
        "source": Path(labels).name if labels else f"{pairs} drawn pairs",
        "pairs": len(found),
        "missing": len(found) - len(known),
        "polypinch": 100 * float(np.mean(known)),
        "alpaca_eval": alpaca["win_rate"],
        "alpaca_eval_pairs": int(alpaca["n_total"]),
        "fastchat": 100 * float(fastchat[-1]),
        "by_hand": by_hand,
        "ours": ours,
        "trainers": None if without_trainers else trainers.run(),
    }


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def _drawn(pairs: int, seed: int) -> tuple[pa.Table, pa.Table]:
    generator = np.random.default_rng(seed)
    rows, texts = [], []
    for index in range(pairs):
        item = f"item{index}"
        texts.append([item, "en", f"Prompt {index}?", f"One answer {index}", f"Another answer {index}"])
        for order in ORDERS:
            winner = generator.choice(["first", "second", "tie", None], p=[0.5, 0.3, 0.15, 0.05])
            rows.append(_verdict(item, "en", order, winner))
    names = ["item_id", "language", "prompt", "arm_text", "against_text"]
    return pa.Table.from_pylist(rows, VERDICT_SCHEMA), pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in texts]
    )


def _of_people(path: Path) -> tuple[pa.Table, pa.Table]:
    """Take the first annotator's choice for the order arm_first, and the second's for the other."""
    labels = read_labels(path)
    people = panel(labels)
    winners = ("first", "second", "tie", None)
    turned = ("second", "first", "tie", None)
    rows = []
    for (item, tag), codes in zip(people.keys, people.codes[:, :2].tolist(), strict=True):
        for order, code, names in zip(ORDERS, codes, (winners, turned), strict=True):
            rows.append(_verdict(item, tag, order, names[code]))
    return pa.Table.from_pylist(rows, VERDICT_SCHEMA), pair_rows(labels)


def _verdict(item: str, tag: str, order: str, winner: str | None) -> dict[str, Any]:
    return {
        "arm": ARM,
        "against": AGAINST,
        "seed": 1,
        "item_id": item,
        "language": tag,
        "order": order,
        "judge": "people",
        "winner": winner,
        "error": None if winner else "no verdict",
    }


def _by_hand(path: Path) -> dict[str, float]:
    """Score, flip rate and first-position rate of FastChat's file, in lines that share none of our code."""
    score, flips, shown, chosen = [], [], 0, 0
    for line in path.read_text().splitlines():
        game = json.loads(line)
        one, two = game["g1_winner"], game["g2_winner"]
        chosen += (one in ("model_1", "model_2")) + (two in ("model_1", "model_2"))
        shown += (one == "model_1") + (two == "model_2")
        if "error" in (one, two):
            continue
        score.append(1 if one == two == "model_1" else 0 if one == two == "model_2" else 0.5)
        flips.append({one, two} == {"model_1", "model_2"})
    rates = {"score": np.mean(score), "flip_rate": np.mean(flips), "first_position": shown / chosen}
    return {name: 100 * float(rate) for name, rate in rates.items()}


def _ours(path: Path) -> dict[str, float]:
    (judged,) = read_judged(path).values()
    assert judged.verdicts is not None
    found = outcomes(judged.verdicts).to_pylist()
    winners = judged.verdicts["winner"].to_pylist()
    rates = {
        "score": np.mean([row["outcome"] for row in found if row["outcome"] is not None]),
        "flip_rate": np.mean([row["flipped"] for row in found if row["flipped"] is not None]),
        "first_position": winners.count("first") / (winners.count("first") + winners.count("second")),
    }
    return {name: 100 * float(rate) for name, rate in rates.items()}


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the benchmark's table."""
    what = f"{result['source']}, {result['pairs']} pairs, {result['missing']} of them missing"
    lines = [
        ("interchange", f"win rate by {name}, %; {what}", f"{result[name]:.6f}", f"{result['polypinch']:.6f}")
        for name in ("alpaca_eval", "fastchat", "polypinch")
    ]
    for name, value in result["by_hand"].items():
        lines.append(("interchange", f"{name} by hand, %", f"{result['ours'][name]:.6f}", f"{value:.6f}"))
    if result["trainers"] is not None:
        lines += trainers.rows(result["trainers"])
    return lines
