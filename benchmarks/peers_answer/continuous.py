"""transformers' continuous batching: ``generate_batch`` over a paged cache.

Choices: those of ``ContinuousBatchingConfig``, and ``attention``.
"""

from __future__ import annotations

from time import time

import torch
from common import finish, start, text_of
from transformers import AutoModelForCausalLM, AutoTokenizer, ContinuousBatchingConfig, GenerationConfig


def main() -> None:
    work, choices = start()
    settings = dict(choices)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(work["model"])
    dtype = torch.bfloat16 if work["bf16"] else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        work["model"], dtype=dtype, attn_implementation=settings.pop("attention", "sdpa")
    )
    model = model.to(device).eval()
    stops = [] if work["fixed"] else work["stop_ids"]
    config = GenerationConfig(
        max_new_tokens=work["max_new_tokens"],
        do_sample=False,
        eos_token_id=stops or -1,
        pad_token_id=work["pad_id"],
    )
    loaded = time()
    found = model.generate_batch(
        inputs=work["prompts"],
        generation_config=config,
        continuous_batching_config=ContinuousBatchingConfig(**settings),
        progress_bar=False,
    )
    # Requests are numbered in the order in which they were given.
    ordered = sorted(found.values(), key=lambda output: int(output.request_id.rpartition("_")[2]))
    failed = [output.error for output in ordered if output.error]
    if failed or len(ordered) < len(work["prompts"]):
        raise SystemExit(f"{len(ordered)} answers to {len(work['prompts'])} prompts: {failed[:1]}")
    answers = [text_of(tokenizer, output.generated_tokens, stops) for output in ordered]
    finish(loaded, time(), answers, choices)


if __name__ == "__main__":
    main()
