"""vLLM's offline engine, in this process.

Choices: ``enforce_eager`` and whatever else ``LLM`` takes.
"""

from __future__ import annotations

import os
from time import time

from common import finish, start, text_of

# In one process its memory can be told, and its start takes no second import.
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")

from vllm import LLM, SamplingParams


def main() -> None:
    work, choices = start()
    longest = max(len(prompt) for prompt in work["prompts"]) + work["max_new_tokens"]
    model = LLM(
        work["model"],
        dtype="bfloat16" if work["bf16"] else "float32",
        max_model_len=longest,
        enable_prefix_caching=False,
        disable_log_stats=True,
        **choices,
    )
    fixed = work["fixed"]
    sampling = SamplingParams(
        temperature=0.0,
        max_tokens=work["max_new_tokens"],
        ignore_eos=fixed,
        stop_token_ids=None if fixed else work["stop_ids"],
        detokenize=False,
    )
    loaded = time()
    prompts = [{"prompt_token_ids": prompt} for prompt in work["prompts"]]
    found = model.generate(prompts, sampling, use_tqdm=False)
    tokenizer = model.get_tokenizer()
    stops = [] if fixed else work["stop_ids"]
    answers = [text_of(tokenizer, list(request.outputs[0].token_ids), stops) for request in found]
    finish(loaded, time(), answers, choices)


if __name__ == "__main__":
    main()
