"""A mixture in, a checkpoint out: transformers' Trainer over steps of rows laid end to end."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from polypinch.chat import ChatFormat, Encoded, EncodedRows, check_rows, encode_with_keys, notices
from polypinch.errors import PinchError
from polypinch.files import disk_errors, write_json, write_text
from polypinch.models import Model, Precision, choose_dtype, device, load_model
from polypinch.processes import barrier, is_main, main_first, rank, world
from polypinch.progress import Bar, bar, say
from polypinch.tracking import TrackedRun, Tracker
from polypinch.tune import sharding
from polypinch.tune.base import Base
from polypinch.tune.batches import Flat, by_token_budget, flatten, share_out, steps_in_stages
from polypinch.tune.checkpoints import mark_whole, newest_whole
from polypinch.tune.compiling import compiled, pays
from polypinch.tune.following import followed
from polypinch.tune.forward import attending, causal_model
from polypinch.tune.loss import batch_loss, heldout_loss, loss_as_forward
from polypinch.tune.memory import needs_checkpointing
from polypinch.tune.norms import lean_norms
from polypinch.tune.optimizer import MasterAdamW
from polypinch.tune.recipe import TuneRecipe
from polypinch.tune.sharding import any_says, free_bytes
from polypinch.tune.table import SUMMARY_FILE
from polypinch.tune.trial import try_adapters

# transformers warns of a name that its own Trainer still uses, and that older releases alone have.
warnings.filterwarnings("ignore", message=r"`(is_)?gradient_checkpointing", category=FutureWarning)


class StepDataset(Dataset[dict[str, Any]]):
    """Optimiser steps in their final order; each is its rows in micro-batches of a token budget.

    Of several processes each takes its share of a step's rows, in as many micro-batches as the others, since
    all gather a layer's weights together: where its rows run out it gets a token that nothing is learnt from.
    """

    def __init__(self, rows: Sequence[Encoded], steps: Sequence[Sequence[int]], micro_tokens: int) -> None:
        self._rows, self._steps, self._micro_tokens = rows, steps, micro_tokens

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, step: int) -> dict[str, Any]:
        rows = [self._rows[index] for index in self._steps[step]]
        lengths = [len(row) for row in rows]
        parts = [
            [
                [share[index] for index in part]
                for part in by_token_budget([lengths[i] for i in share], self._micro_tokens)
            ]
            for share in share_out(lengths, world())
        ]
        mine = [flatten([rows[index] for index in part]) for part in parts[rank()]]
        idle = flatten([Encoded(rows[0].input_ids[:1], np.zeros(1, np.bool_), False)])
        return {
            "micros": mine + [idle] * (max(map(len, parts)) - len(mine)),
            "supervised": sum(int(row.supervised[1:].sum()) for row in rows),
        }


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
        total = torch.zeros((), device=self.args.device)
        for micro in micros:
            batch = micro.to(self.args.device)
            summed = model(batch) if world() > 1 else batch_loss(model, batch)
            # Sharding averages gradients over the processes, and the Trainer the losses it logs.
            loss = summed * world() / inputs["supervised"]
            self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the steps in order, the same for every process."""
        return DataLoader(self.train_dataset, batch_size=1, collate_fn=lambda batch: batch[0])


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
        barrier()
        if is_main() and folder.is_dir():
            mark_whole(folder)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        last = state.log_history[-1] if state.log_history else {}
        self._bar.advance(1, f"loss {last['loss']:.3f}" if "loss" in last else None)
        if state.global_step >= state.max_steps:
            control.should_save = False  # the result itself follows
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


def encode_rows(chat: ChatFormat, rows: pa.Table, max_length: int) -> EncodedRows:
    """Encode a mixture's rows for training.

    Raises:
        PinchError: a row's mask, BOS or end of turn is wrong; it is named, with the fix.
    """
    encoded = EncodedRows()

    def kept() -> Iterator[tuple[str, str, Encoded]]:
        for item, tag, row in encode_with_keys(chat, rows, max_length):
            encoded.append(row)
            yield item, tag, row

    problems = check_rows(chat, kept())
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PinchError(f"{problems[0].where}: {problems[0].message}{more}", fix=problems[0].fix)
    return encoded


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
    run: TrackedRun | None = None,
) -> None:
    """Tune a model on a mixture.

    Leaves in ``directory`` ``adapter/`` (LoRA, safetensors) or ``model/`` (full tuning), ``log.jsonl``
    (loss, learning rate, and after each epoch bits per byte of the development rows by language), and
    ``summary.json``. Called again after a kill with the same arguments it resumes from its last whole
    checkpoint; on one CPU the weights are, bit for bit, those of an undisturbed run.

    Where torchrun started several processes, all call it with the same arguments and share the model and each
    step's rows out (FSDP). The main process alone writes. As many processes as before resume bit for bit;
    another number of them computes the same sums in another order.

    Args:
        rows: the mixture's table: ``item_id``, ``language``, ``messages``.
        model: the base.
        recipe: the settings.
        seed: orders the rows and initialises the adapters.
        directory: where to write; made if it is not there.
        development: rows whose loss is logged after each epoch.
        label: names the progress bar.
        base: the same base, where it is in memory already; used by LoRA if quantised alike, and left
            without its adapters.
        chat: the chat format, where it is loaded already; by default the recipe's.
        run: how the trackers of ``report_to`` name it; by default after the directory.

    Raises:
        PinchError: a row cannot be trained on, or the disk is full.
    """
    if world() > 1 and development is not None:
        raise PinchError("a development loss is measured by one process", fix="start it without torchrun")
    started = time.monotonic()
    # A study's adapters share one format, and a large vocabulary beside each would be most of the store.
    alone = chat is None
    if chat is None:
        chat = ChatFormat.load(model, recipe.chat_template)
        for notice in notices(chat, rows, "rows"):
            say(f"{notice.message}\n  {notice.fix}")
    encoded = encode_rows(chat, rows, recipe.max_length)
    steps = steps_in_stages(rows, recipe.first, recipe.batch_rows, recipe.epochs, seed)
    set_seed(seed)
    dtype = choose_dtype(recipe.precision)
    if recipe.method == "full":
        # AdamW's small updates vanish in bf16 weights: the optimiser keeps fp32 ones, or sharding does.
        trained = load_model(model, torch.float32 if world() > 1 else dtype)
    else:
        if base is None or base.quantization != recipe.quantization:
            base = Base(model, recipe.precision, recipe.quantization)
        if world() == 1:
            try_adapters(base, chat, recipe)
        trained = base.trainable(recipe)
    checkpoints = directory / "checkpoints"
    arguments = _arguments(checkpoints, recipe, seed, len(steps), run.name if run else label)
    sharding.prepare(arguments)
    with disk_errors(directory):
        with main_first():
            checkpoints.mkdir(parents=True, exist_ok=True)
            resume = newest_whole(checkpoints)
        done = int(resume.name.rpartition("-")[2]) if resume else 0
        with bar(label, len(steps), done) as shown, followed(recipe, run, directory, done) as follower:
            watch = _Watch(shown, len(steps) // recipe.epochs, chat, development)
            trainer = PinchTrainer(
                model=trained,
                args=arguments,
                train_dataset=StepDataset(encoded, steps, recipe.micro_tokens),
                callbacks=[watch, follower],
                optimizer_cls_and_kwargs=_optimizer(recipe, dtype),
            )
            trainer.remove_callback(_printer())
            if world() > 1 and recipe.method == "full":
                sharding.compute_in(dtype, trainer.accelerator)
            watch.trainer = trainer
            causal = causal_model(trained)
            body = causal.get_decoder()
            tokens = sum(map(len, encoded)) * recipe.epochs
            compiling = world() == 1 and pays(body, tokens)
            with (
                attending(causal),
                lean_norms(body, world() == 1 and not compiling),
                _checkpointing(trained, encoded, steps, recipe),
                compiled(body, compiling),
                loss_as_forward(trained) if world() > 1 else nullcontext(),
            ):
                trainer.train(resume_from_checkpoint=str(resume) if resume else None)
        _save(trainer, chat, recipe, directory, alone)
        if not is_main():
            return
        history = trainer.state.log_history
        write_text(directory / "log.jsonl", "".join(json.dumps(line) + "\n" for line in history))
        summary = {
            "steps": len(steps),
            "rows": len(encoded),
            "tokens": tokens,
            "supervised_tokens": sum(row.supervised_tokens for row in encoded) * recipe.epochs,
            "seconds": round(time.monotonic() - started, 1),
            "device": str(device()),
            "precision": str(dtype).removeprefix("torch."),
            "chat_template": {"name": chat.name, "template": chat.template},
            "base": {"name": model.name, "fingerprint": model.fingerprint},
        }
        write_json(directory / SUMMARY_FILE, summary)
        shutil.rmtree(checkpoints)
    if base is not None:
        base.plain()


@contextmanager
def _checkpointing(
    trained: Any, rows: Sequence[Encoded], steps: Sequence[Sequence[int]], recipe: TuneRecipe
) -> Iterator[None]:
    """Compute activations a second time in the backward pass, if the largest micro-batch needs it."""
    lengths = [len(row) for row in rows]
    largest = min(
        max(sum(lengths[index] for index in step) for step in steps), max(recipe.micro_tokens, *lengths)
    )
    place = next(trained.parameters()).device
    shortest = flatten([min(rows, key=len)]).to(place)
    with torch.random.fork_rng():
        adapters = recipe.model_dump_json(include={"method", "rank", "dropout", "quantization"})
        needed = needs_checkpointing(trained.train(), shortest, largest, free_bytes(trained), adapters)
    needed = any_says(needed)
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


def _arguments(folder: Path, recipe: TuneRecipe, seed: int, steps: int, name: str) -> TrainingArguments:
    others = [one for one in recipe.report_to if one not in list(Tracker)]
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
        use_cpu=device().type == "cpu",
        seed=seed,
        data_seed=seed,
        save_strategy="steps",
        save_steps=recipe.checkpoint_every,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=others or "none",
        run_name=name,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        **sharding.arguments(),
    )
    # One process drives one device: DataParallel would split what is already one step.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _optimizer(recipe: TuneRecipe, dtype: torch.dtype) -> tuple[type[Any], dict[str, Any]] | None:
    if recipe.method == "full" and dtype is torch.bfloat16 and world() == 1:
        return MasterAdamW, {"lr": recipe.peak_learning_rate}
    return None  # what the arguments say


def _save(trainer: PinchTrainer, chat: ChatFormat, recipe: TuneRecipe, directory: Path, alone: bool) -> None:
    trained = trainer.model
    full = recipe.method == "full"
    dtype = choose_dtype(recipe.precision) if full else None
    folder = directory / ("model" if full else "adapter")
    if world() > 1:
        sharding.save(trained, causal_model(trained).config, dtype, folder)
    elif full:
        trained.to(dtype).save_pretrained(folder)
    else:
        trained.save_pretrained(folder)
    if (full or alone) and is_main():
        chat.save(folder)


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
