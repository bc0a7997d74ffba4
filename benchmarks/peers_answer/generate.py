"""transformers' generate over fixed batches, padded on the left, as people write it.

Choices: ``batch``; ``by_length`` (prompts in order of length, so that less is padded).
"""

from __future__ import annotations

from time import time

import torch
from common import finish, start, text_of
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig


@torch.inference_mode()
def main() -> None:
    work, choices = start()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(work["model"], padding_side="left")
    dtype = torch.bfloat16 if work["bf16"] else torch.float32
    model = AutoModelForCausalLM.from_pretrained(work["model"], dtype=dtype).to(device).eval()
    stops = [] if work["fixed"] else work["stop_ids"]
    # All settings are told: what is left open, a model's own configuration fills, and greedy is not greedy.
    model.generation_config = GenerationConfig()
    config = GenerationConfig(
        max_new_tokens=work["max_new_tokens"],
        do_sample=False,
        eos_token_id=stops or None,
        pad_token_id=work["pad_id"],
    )
    prompts = work["prompts"]
    loaded = time()
    order = list(range(len(prompts)))
    if choices.get("by_length"):
        order.sort(key=lambda index: -len(prompts[index]))
    answers: dict[int, tuple[str, int]] = {}
    for first in range(0, len(order), choices["batch"]):
        part = order[first : first + choices["batch"]]
        padded = tokenizer.pad({"input_ids": [prompts[index] for index in part]}, return_tensors="pt").to(
            device
        )
        drawn = model.generate(**padded, generation_config=config)[:, padded["input_ids"].shape[1] :]
        for index, tokens in zip(part, drawn.tolist(), strict=True):
            answers[index] = text_of(tokenizer, tokens, stops)
    finish(loaded, time(), [answers[index] for index in range(len(prompts))], choices)


if __name__ == "__main__":
    main()
