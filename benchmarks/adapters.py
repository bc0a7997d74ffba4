"""vLLM with every arm's adapter on one base, beside our own answering of the same prompts.

Runs where vLLM is installed, on a finished study of one base model: what has to hold is that the answers are
the same, in fp32, where no two tokens tie.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def run(study: str = "demo", items: int = 1, new_tokens: int = 24) -> dict[str, Any]:
    """Answer with each arm of the first seed, by both engines in one process.

    Args:
        study: a finished study's folder.
        items: held-out items, each in every language.
        new_tokens: an answer is cut off here.
    """
    import pyarrow.compute as pc

    from polypinch.answer import EngineName, Sampling, open_engine
    from polypinch.chat import ChatFormat
    from polypinch.conversation import prompt
    from polypinch.models import find_model
    from polypinch.study import read_record
    from polypinch.tune import load_tuned

    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    record, graph, store = read_record(Path(study))
    model = find_model(record.study.models[0])
    chat = ChatFormat.load(model, record.study.tuning.chat_template)
    first = record.heldout["item_id"].unique().slice(0, items)
    rows = record.heldout.filter(pc.is_in(record.heldout["item_id"], value_set=first))
    prompts = [chat.encode_prompt(prompt(messages)) for messages in rows["messages"].to_pylist()]
    arms: dict[str, dict[str, Any]] = {}
    for engine in (EngineName.VLLM, EngineName.TRANSFORMERS):
        sampling = Sampling(max_new_tokens=new_tokens, precision="fp32", engine=engine)
        for one in graph.tuned:
            if one.seed not in (None, record.study.seeds[0]):
                continue
            tuned = None if one.checkpoint is None else store.verified(one.checkpoint)
            started = time.monotonic()
            opened = open_engine(
                sampling, model, tuned, chat, lambda path=tuned: load_tuned(model, path, "fp32")
            )
            opened.complete(prompts[:1], sampling, 0)
            loaded = time.monotonic()
            drawn = opened.complete(prompts, sampling, 0)
            took = time.monotonic() - loaded
            arms.setdefault(one.arm, {})[engine.value] = {
                "loading_s": loaded - started,
                "tokens_per_s": sum(answer.completion_tokens for answer in drawn) / took,
                "texts": [answer.text for answer in drawn],
            }
    for by_engine in arms.values():
        texts = [
            by_engine[engine.value].pop("texts") for engine in (EngineName.VLLM, EngineName.TRANSFORMERS)
        ]
        by_engine["equal"] = sum(one == other for one, other in zip(*texts, strict=True))
    return {"prompts": len(prompts), "new_tokens": new_tokens, "arms": arms}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the lines of the table."""
    return [
        (
            "adapters",
            arm,
            f"{of['equal']} of {result['prompts']} answers equal; loading and first answer"
            f" {of['vllm']['loading_s']:.1f} s, ours {of['transformers']['loading_s']:.1f} s;"
            f" {of['vllm']['tokens_per_s']:.0f} tokens/s, ours {of['transformers']['tokens_per_s']:.0f}",
            "all equal",
        )
        for arm, of in result["arms"].items()
    ]
