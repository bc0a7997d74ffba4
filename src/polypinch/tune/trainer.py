"""A mixture in, a checkpoint out: transformers' Trainer over steps of rows laid end to end."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from polypinch.attention import segmented
from polypinch.chat import ChatFormat, Encoded, check_rows, encode_with_keys
from polypinch.errors import PinchError
from polypinch.files import disk_errors, write_json, write_text
from polypinch.models import Model, Precision, choose_dtype, device, load_model
from polypinch.progress import Bar, bar, say
from polypinch.tune.base import Base
from polypinch.tune.batches import Flat, by_token_budget, epochs_of_steps, flatten
from polypinch.tune.compiling import compiled, pays
from polypinch.tune.loss import batch_loss, causal_model, heldout_loss
from polypinch.tune.memory import free_bytes, needs_checkpointing
from polypinch.tune.recipe import TuneRecipe

_COMPLETE = "complete"


class StepDataset(Dataset[list[Flat]]):
    """Optimiser steps in their final order; each is its rows in micro-batches of a token budget."""

    def __init__(self, rows: Sequence[Encoded], steps: Sequence[Sequence[int]], micro_tokens: int) -> None:
        self._rows, self._steps, self._micro_tokens = rows, steps, micro_tokens

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, step: int) -> list[Flat]:
        rows = [self._rows[index] for index in self._steps[step]]
        parts = by_token_budget([len(row) for row in rows], self._micro_tokens)
        return [flatten([rows[index] for index in part]) for part in parts]


class PinchTrainer(Trainer):
    """transformers' Trainer, where one "batch" is one whole optimiser step.

    The loss of a step is the sum over its supervised tokens, divided by their number, whatever the
    micro-batching: languages differ in tokens per sentence, so a mean of means would weigh them by
    how rows fall together.
    """

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """Run forward and backward over a step's micro-batches; return its mean loss per token."""
        model.train()
        micros: list[Flat] = inputs["micros"]
        supervised = sum(len(micro.labels) for micro in micros)
        total = torch.zeros((), device=self.args.device)
        for micro in micros:
            with self.compute_loss_context_manager():
                loss = batch_loss(model, micro.to(self.args.device)) / supervised
            self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class _Watch(TrainerCallback):
    """Marks whole checkpoints, moves the bar, and measures the development loss after each epoch."""

    def __init__(
        self,
        shown: Bar,
        steps_per_epoch: int,
        chat: ChatFormat,
        development: pa.Table | None,
    ) -> None:
        self._bar, self._every, self._chat = shown, steps_per_epoch, chat
        self._development = development
        self.trainer: PinchTrainer | None = None

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if folder.is_dir():
            (folder / _COMPLETE).touch()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        last = state.log_history[-1] if state.log_history else {}
        self._bar.advance(1, f"loss {last['loss']:.3f}" if "loss" in last else None)
        if (
            self._development is not None
            and state.global_step % self._every == 0
            and self.trainer is not None
        ):
            model = self.trainer.model
            losses = mean_by_language(heldout_loss(model, self._chat, self._development, label=None))
            self.trainer.log({f"development/{tag}": value for tag, value in losses.items()})
            control.should_log = True  # logging these has marked the step's own loss as logged
            model.train()


def mean_by_language(losses: pa.Table) -> dict[str, float]:
    """Return bits per byte by language, items weighted equally, from a held-out loss table."""
    grouped = losses.group_by("language").aggregate([("bits_per_byte", "mean")]).sort_by("language")
    return dict(zip(grouped["language"].to_pylist(), grouped["bits_per_byte_mean"].to_pylist(), strict=True))


def encode_rows(chat: ChatFormat, rows: pa.Table, max_length: int) -> list[Encoded]:
    """Encode a mixture's rows for training.

    Raises:
        PinchError: a row's mask, BOS or end of turn is wrong; it is named, with the fix.
    """
    keys = list(encode_with_keys(chat, rows, max_length))
    problems = check_rows(chat, keys)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PinchError(f"{problems[0].where}: {problems[0].message}{more}", fix=problems[0].fix)
    return [row for _, _, row in keys]


def tune(
    rows: pa.Table,
    model: Model,
    recipe: TuneRecipe,
    seed: int,
    directory: Path,
    development: pa.Table | None = None,
    label: str = "tune",
    base: Base | None = None,
    chat: ChatFormat | None = None,
) -> None:
    """Tune a model on a mixture.

    Leaves in ``directory`` ``adapter/`` (LoRA, safetensors) or ``model/`` (full tuning), ``log.jsonl``
    (loss, learning rate, and after each epoch bits per byte of the development rows by language), and
    ``summary.json``. Called again after a kill with the same arguments it resumes from its last whole
    checkpoint; on one CPU the weights are, bit for bit, those of an undisturbed run.

    Args:
        rows: the mixture's table: ``item_id``, ``language``, ``messages``.
        model: the base.
        recipe: the settings.
        seed: orders the rows and initialises the adapters.
        directory: where to write; made if it is not there.
        development: rows whose loss is logged after each epoch.
        label: names the progress bar.
        base: the same base, where it is in memory already; used by LoRA, and left without its adapters.
        chat: the chat format, where it is loaded already; by default the recipe's.

    Raises:
        PinchError: a row cannot be trained on, or the disk is full.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise PinchError("tuning runs in one process", fix="start it without torchrun")
    started = time.monotonic()
    chat = chat or ChatFormat.load(model, recipe.chat_template)
    encoded = encode_rows(chat, rows, recipe.max_length)
    steps = epochs_of_steps(rows["item_id"], recipe.batch_rows, recipe.epochs, seed)
    set_seed(seed)
    if recipe.method == "full":
        # fp32 weights under bf16 autocast: AdamW's small updates vanish in bf16 weights.
        trained = load_model(model, torch.float32)
    else:
        base = base or Base(model, recipe.precision)
        trained = base.trainable(recipe)
    checkpoints = directory / "checkpoints"
    with disk_errors(directory):
        checkpoints.mkdir(parents=True, exist_ok=True)
        resume = _last_checkpoint(checkpoints)
        done = int(resume.name.rpartition("-")[2]) if resume else 0
        with bar(label, len(steps), done) as shown:
            watch = _Watch(shown, -(-len(encoded) // recipe.batch_rows), chat, development)
            trainer = PinchTrainer(
                model=trained,
                args=_arguments(checkpoints, recipe, seed, len(steps)),
                train_dataset=StepDataset(encoded, steps, recipe.micro_tokens),
                data_collator=lambda batch: {"micros": batch[0]},
                callbacks=[watch],
            )
            trainer.remove_callback(_printer())
            watch.trainer = trainer
            causal = causal_model(trained)
            body = causal.get_decoder()
            tokens = sum(map(len, encoded)) * recipe.epochs
            with (
                segmented(causal),
                _checkpointing(trained, encoded, steps, recipe.micro_tokens),
                compiled(body, pays(body, tokens)),
            ):
                trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        _save(trained, chat, recipe, directory)
        history = trainer.state.log_history
        write_text(directory / "log.jsonl", "".join(json.dumps(line) + "\n" for line in history))
        summary = {
            "steps": len(steps),
            "rows": len(encoded),
            "tokens": tokens,
            "supervised_tokens": sum(row.supervised_tokens for row in encoded) * recipe.epochs,
            "seconds": round(time.monotonic() - started, 1),
            "device": str(device()),
            "precision": str(choose_dtype(recipe.precision)).removeprefix("torch."),
            "chat_template": {"name": chat.name, "template": chat.template},
            "base": {"name": model.name, "fingerprint": model.fingerprint},
        }
        write_json(directory / "summary.json", summary)
        shutil.rmtree(checkpoints)
    if base is not None:
        base.plain()


@contextmanager
def _checkpointing(
    trained: Any, rows: Sequence[Encoded], steps: Sequence[Sequence[int]], micro_tokens: int
) -> Iterator[None]:
    """Compute activations a second time in the backward pass, if the largest micro-batch needs it."""
    lengths = [len(row) for row in rows]
    largest = min(max(sum(lengths[index] for index in step) for step in steps), max(micro_tokens, *lengths))
    shortest = flatten([min(rows, key=len)]).to(device())
    with torch.random.fork_rng():
        needed = needs_checkpointing(trained.train(), shortest, largest, free_bytes(device()))
    causal = causal_model(trained)
    if needed:
        say(f"activations of {largest:,} tokens do not fit in memory: they are computed twice")
        causal.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        yield
    finally:
        if needed:
            causal.gradient_checkpointing_disable()


def _printer() -> Any:
    from transformers import PrinterCallback  # noqa: PLC0415

    return PrinterCallback


def _arguments(folder: Path, recipe: TuneRecipe, seed: int, steps: int) -> TrainingArguments:
    bf16 = recipe.method == "full" and choose_dtype(recipe.precision) is torch.bfloat16
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        learning_rate=recipe.peak_learning_rate,
        lr_scheduler_type="constant_with_warmup" if recipe.schedule == "constant" else recipe.schedule,
        warmup_steps=round(recipe.warmup_share * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim="adamw_torch_fused" if device().type != "mps" else "adamw_torch",
        bf16=bf16,
        use_cpu=device().type == "cpu",
        seed=seed,
        data_seed=seed,
        save_strategy="steps",
        save_steps=recipe.checkpoint_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=list(recipe.report_to) or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
    )
    # One process drives one device: DataParallel would split what is already one step.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint, removing any that a kill left unfinished."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / _COMPLETE).exists():
            whole.append(path)
        else:
            shutil.rmtree(path)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _save(trained: Any, chat: ChatFormat, recipe: TuneRecipe, directory: Path) -> None:
    if recipe.method == "lora":
        trained.save_pretrained(directory / "adapter")
        return
    trained.to(choose_dtype(recipe.precision)).save_pretrained(directory / "model")
    chat.tokenizer.save_pretrained(directory / "model")


def load_tuned(model: Model, checkpoint: Path | None, precision: Precision = "auto") -> Any:
    """Load a model for answering: the base, the base with a merged adapter, or a fully tuned one.

    Args:
        model: the base.
        checkpoint: what :func:`tune` left, or ``None`` for the untuned base.
        precision: as in :class:`TuneRecipe`.

    Raises:
        PinchError: the checkpoint holds neither adapter nor model.
    """
    return Base(model, precision).tuned(checkpoint)
