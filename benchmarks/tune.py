"""Tuning against the peers: the same rows, steps, precision and first adapters, one process after another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import CannotBuildError, build, cache, notes

OURS = "polypinch"
DEFAULT = "trl-default"
WARM_UP = 2  # steps that throughput leaves out


@dataclass(frozen=True)
class Peer:
    """Who does the work: an environment (``None`` is our own), a script, and its choices."""

    environment: str | None
    script: str
    choices: dict[str, Any]
    says: str


# The best of each were found by trial; `search` tries the alternatives below again, on another machine.
PEERS: dict[str, Peer] = {
    OURS: Peer(None, "ours.py", {}, "tune(), defaults"),
    DEFAULT: Peer(
        "trl",
        "trl_sft.py",
        {"fp32": True},
        "SFTTrainer as it comes: fp32 weights, bf16 autocast, checkpointing",
    ),
    "trl-best": Peer("trl", "trl_sft.py", {"checkpointing": False, "fused": True}, "SFTTrainer at its best"),
    "trainer": Peer("transformers", "trainer.py", {}, "Trainer: bf16, padding to the longest, fused AdamW"),
    "llamafactory": Peer(
        "llamafactory", "llamafactory_sft.py", {"checkpointing": False}, "LLaMA-Factory, sft"
    ),
    "trainer-kept": Peer(
        "transformers",
        "trainer.py",
        {"kept": True},
        "Trainer with a loss of one's own at supervised positions",
    ),
}
# Not of the four peers to compare with, but what someone with this problem would write next.
BEYOND = ("trainer-kept",)
_TRL = {"checkpointing": False, "fused": True}
SEARCH: dict[str, tuple[dict[str, Any], ...]] = {
    "trl-best": (_TRL, {**_TRL, "micro_rows": 4}, {**_TRL, "padding_free": True}, {**_TRL, "compile": True}),
    "trainer": ({}, {"micro_rows": 4}, {"flat": True}, {"autocast": True}, {"compile": True}),
    "llamafactory": ({"checkpointing": False}, {"checkpointing": False, "micro_rows": 4}),
}


def run(
    *,
    full: bool = False,
    steps: int = 20,
    stop: int = 0,
    slow_stop: int = 0,
    peers: str = "",
    rows: str = "pinch12",
    language: str = "en",
    model: str = "gemma-3-270m",
    batch_rows: int = 16,
    seed: int = 1,
    search: bool = False,
) -> dict[str, Any]:
    """Run us and the peers, and compare.

    Args:
        full: tune all weights instead of adapters.
        steps: optimiser steps that the schedule is made for.
        stop: end everyone's run after so many steps; 0 runs all.
        slow_stop: end the run of the slowest peer, TRL's default, after so many steps; 0 as ``stop``.
        peers: names, separated by commas; by default all.
        rows: a pool's name or file.
        language: of its training rows.
        model: to tune.
        batch_rows: rows in one optimiser step.
        seed: of order and adapters.
        search: first try each peer's alternatives for a few steps, and take the fastest.
    """
    chosen = [OURS, *(name for name in (peers.split(",") if peers else PEERS) if name != OURS)]
    unknown = [name for name in chosen if name not in PEERS]
    if unknown:
        sys.exit(f"no peer {', '.join(unknown)}; there are {', '.join(PEERS)}")
    work = cache() / "work" / ("full" if full else "lora")
    settings = prepared(work, model, rows, language, steps, batch_rows, full, seed)
    runs: dict[str, dict[str, Any]] = {}
    for name in chosen:
        choices = dict(PEERS[name].choices)
        if search and name in SEARCH:
            choices, tried = _search(name, work, settings)
        ended = (slow_stop or stop) if name == DEFAULT else stop
        runs[name] = one(name, work, {**choices, **({"stop": ended} if ended else {})})
        if search and name in SEARCH:
            runs[name]["tried"] = tried
    return {
        "benchmark": "tune --full" if full else "tune",
        "settings": {key: value for key, value in settings.items() if key not in ("tokens", "supervised")},
        "tokens": sum(settings["tokens"]),
        "supervised_tokens": sum(settings["supervised"]),
        "machine": machine(),
        "runs": runs,
        **compare(runs),
    }


def prepared(
    work: Path, model: str, rows: str, language: str, steps: int, batch_rows: int, full: bool, seed: int
) -> dict[str, Any]:
    """Write the work in a process of its own, and return its settings."""
    shutil.rmtree(work, ignore_errors=True)
    asked = {
        "model": model,
        "pool": str(Path(rows).resolve()) if Path(rows).exists() else rows,
        "language": language,
        "steps": steps,
        "batch_rows": batch_rows,
        "full": full,
        "seed": seed,
    }
    subprocess.run(
        [sys.executable, "-m", "benchmarks.work", str(work), json.dumps(asked)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    found: dict[str, Any] = json.loads((work / "settings.json").read_text())
    return found


def one(name: str, work: Path, choices: dict[str, Any]) -> dict[str, Any]:
    """Run one peer in a process of its own; what keeps it from running is its result then."""
    peer = PEERS[name]
    try:
        python = build(peer.environment) if peer.environment else Path(sys.executable)
    except CannotBuildError as error:
        return {"failed": f"cannot be installed: {error}"}
    print(f"{name}: {peer.says} …", file=sys.stderr, flush=True)
    result, log = work / f"{name}.json", work / f"{name}.log"
    script = Path(__file__).parent / "peers" / peer.script
    started = time.monotonic()
    with log.open("w") as output:
        done = subprocess.run(
            [str(python), str(script), str(work), str(result), json.dumps(choices)],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            # A peer's results must not depend on a user's trackers or caches.
            env={**os.environ, "WANDB_DISABLED": "true", "HF_HUB_OFFLINE": "1"},
        )
    if done.returncode or not result.is_file():
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return {"failed": " / ".join(lines[-2:])[:500] or f"exit status {done.returncode}"}
    found: dict[str, Any] = json.loads(result.read_text())
    found["says"] = peer.says
    found["wall_s"] = round(time.monotonic() - started, 1)
    found["tokens_per_s"] = round(throughput(found["steps"]), 1)
    if peer.environment:
        found["notes"] = notes(peer.environment)
    return found


def throughput(steps: list[dict[str, Any]]) -> float:
    """Return tokens per second, padding not counted, over the steps after the warm-up."""
    counted = steps[WARM_UP:] or steps[-1:]
    return float(sum(step["tokens"] for step in counted) / sum(step["seconds"] for step in counted))


def _search(name: str, work: Path, settings: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    tried = []
    for alternative in SEARCH[name]:
        found = one(name, work, {**alternative, "stop": WARM_UP + 2})
        kept = ("tokens_per_s", "peak_mb", "failed")
        tried.append({"choices": alternative, **{key: found[key] for key in kept if key in found}})
    best = max(tried, key=lambda trial: trial.get("tokens_per_s", 0.0))
    return best["choices"], tried


def compare(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return ours ÷ theirs in speed and memory, and how far the losses are apart."""
    ours = runs[OURS]
    if "failed" in ours:
        return {"failed": ours["failed"]}
    ratios: dict[str, Any] = {}
    for name, found in runs.items():
        if name == OURS or "failed" in found:
            continue
        both = list(zip(ours["steps"], found["steps"], strict=False))
        apart = [abs(a["loss"] - b["loss"]) / b["loss"] for a, b in both]
        last = both[-1][1]["step"]
        ratios[name] = {
            "speed": round(ours["tokens_per_s"] / found["tokens_per_s"], 2),
            "memory": round(ours["peak_mb"] / found["peak_mb"], 3),
            "loss_step": last,
            "loss_difference": round(apart[-1], 5),
            "greatest_loss_difference": round(max(apart), 5),
        }
    peers = {name: found for name, found in runs.items() if name in ratios and name not in BEYOND}
    result: dict[str, Any] = {"ratios": ratios}
    if peers:
        fastest = max(peers, key=lambda name: peers[name]["tokens_per_s"])
        smallest = min(peers, key=lambda name: peers[name]["peak_mb"])
        result["best_peer"] = {"name": fastest, "speed": ratios[fastest]["speed"]}
        result["smallest_peer"] = {"name": smallest, "memory": ratios[smallest]["memory"]}
    return result


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    import platform

    model, flags = platform.processor(), ""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = dict(
            line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line
        )
        named = {key.strip(): value.strip() for key, value in lines.items()}
        model, flags = named.get("model name", model), named.get("flags", "")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "bf16": [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags.split()],
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    name = result["benchmark"]
    if "failed" in result:
        return [(name, OURS, f"failed: {result['failed']}", "")]
    ours = result["runs"][OURS]
    figure = f"{ours['tokens_per_s']:.0f} tokens/s, {ours['peak_mb']:,} MB"
    table = [(name, OURS, figure, "")]
    for peer, found in result["runs"].items():
        if peer == OURS:
            continue
        if "failed" in found:
            table.append((name, peer, f"not run: {found['failed'][:80]}", ""))
            continue
        ratio = result["ratios"][peer]
        table.append(
            (
                name,
                peer,
                f"{found['tokens_per_s']:.0f} tokens/s, {found['peak_mb']:,} MB: {ratio['speed']:.2f} × as"
                f" fast in {ratio['memory']:.2f} × the memory, loss {ratio['loss_difference']:.2%} apart at"
                f" step {ratio['loss_step']}",
                "≥ 10 ×, loss ≤ 1 %" if peer == DEFAULT and name == "tune" else "loss ≤ 1 %",
            )
        )
    if "best_peer" in result:
        best, small = result["best_peer"], result["smallest_peer"]
        to_reach = "≥ 2.5 ×" if name == "tune" else "≥ 2 ×"
        table.append((name, f"best peer ({best['name']})", f"{best['speed']:.2f} ×", to_reach))
        if name == "tune":
            table.append(
                (
                    name,
                    f"memory of the smallest peer ({small['name']})",
                    f"{small['memory']:.2f} ×",
                    "≤ 0.5 ×",
                )
            )
    return table
