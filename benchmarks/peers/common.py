"""What the peers' scripts share: reading the work, one clock for all, and the result.

Each script is run by its peer's own Python as ``SCRIPT WORK RESULT CHOICES``: a folder made by
``benchmarks.work``, a file to write, and the choices of this variant as JSON. It knows nothing of polypinch.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers.trainer
from transformers import TrainerCallback

PACKAGES = ("torch", "transformers", "peft", "accelerate", "datasets", "trl", "llamafactory", "polypinch")


class Clock(TrainerCallback):
    """Takes the time at each step's end and the loss that is logged; ends the run after ``stop`` steps."""

    def __init__(self, stop: int) -> None:
        self.stop = stop
        self.began = 0.0
        self.ended = 0.0
        self.ends: list[float] = []
        self.losses: list[float] = []
        self.loaded_mb = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.loaded_mb = peak_mb()
        self.began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())
        if len(self.ends) >= self.stop:
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ended = time.perf_counter()


def peak_mb() -> float:
    """Return this process's greatest resident memory so far in MB (GPU memory where there is a GPU)."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike getrusage's, this figure does not begin at what the parent held when it started us.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def start() -> tuple[Path, dict[str, Any], dict[str, Any], Clock]:
    """Return the work's folder, its settings, the variant's choices, and a clock for the Trainer."""
    work, choices = Path(sys.argv[1]), json.loads(sys.argv[3])
    settings = json.loads((work / "settings.json").read_text())
    clock = Clock(choices.pop("stop", 0) or settings["steps"])
    transformers.trainer.DEFAULT_CALLBACKS.append(clock)
    return work, settings, choices, clock


def rows_in_order(work: Path) -> list[dict[str, list[int]]]:
    """Return all rows of all steps, one after another."""
    return [row for step in json.loads((work / "steps.json").read_text()) for row in step]


def shared_arguments(settings: dict[str, Any], micro_rows: int) -> dict[str, Any]:
    """Return what defines the work, as transformers' TrainingArguments name it."""
    return {
        "per_device_train_batch_size": micro_rows,
        "gradient_accumulation_steps": settings["batch_rows"] // micro_rows,
        "max_steps": settings["steps"],
        "learning_rate": settings["learning_rate"],
        "lr_scheduler_type": settings["schedule"],
        "warmup_steps": settings["warmup_steps"],
        "weight_decay": settings["weight_decay"],
        "max_grad_norm": settings["max_grad_norm"],
        "seed": settings["seed"],
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
    }


def load_trainable(work: Path, settings: dict[str, Any], attention: str | None, dtype: torch.dtype) -> Any:
    """Load the base, and on it the adapters that everyone starts from unless all weights are tuned."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    chosen = {"attn_implementation": attention} if attention else {}
    model = AutoModelForCausalLM.from_pretrained(settings["model"], dtype=dtype, **chosen)
    if settings["full"]:
        return model
    return PeftModel.from_pretrained(model, str(work / "adapter"), is_trainable=True)


def finish(clock: Clock, settings: dict[str, Any], choices: dict[str, Any]) -> None:
    """Print one JSON line for each step, and write the result."""
    starts = [clock.began, *clock.ends]
    steps = [
        {"step": index + 1, "loss": loss, "seconds": round(after - before, 4), "tokens": tokens}
        for index, (loss, before, after, tokens) in enumerate(
            zip(clock.losses, starts, clock.ends, settings["tokens"], strict=False)
        )
    ]
    for step in steps:
        print(json.dumps(step), flush=True)
    result = {
        "steps": steps,
        "train_s": round(clock.ended - clock.began, 2),
        "loaded_mb": round(clock.loaded_mb),
        "peak_mb": round(peak_mb()),
        "threads": torch.get_num_threads(),
        "choices": choices,
        "versions": _versions(),
    }
    Path(sys.argv[2]).write_text(json.dumps(result))


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
