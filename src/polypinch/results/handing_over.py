"""A tuned arm handed to lm-evaluation-harness."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.files import artifact, write_text
from polypinch.models import Model, choose_dtype, load_tokenizer
from polypinch.results.harness import run_of
from polypinch.study import Graph, Inputs, Store
from polypinch.tasks import NAME
from polypinch.tune import Base


def export_arm(
    inputs: Inputs,
    graph: Graph,
    store: Store,
    who: tuple[str | None, str, int | None],
    out: Path,
    merge: bool,
) -> str:
    """Write a tuned arm for lm-evaluation-harness; return the command that scores it there.

    Args:
        inputs: the study's.
        graph: its stages.
        store: its artifacts.
        who: base model (``None`` where there is one), arm, seed (``None`` for the untuned base).
        out: gets ``tokenizer/`` with the study's chat template, the adapter or the merged model, and
            ``command.sh``.
        merge: write whole weights instead of the adapter.

    Raises:
        PinchError: there is no such arm, or it is not tuned yet.
    """
    model, run = run_of(inputs.study, graph, *who)
    if run.checkpoint is not None and store.state(run.checkpoint) != "done":
        raise PinchError(f"{run.checkpoint.name} is not tuned yet", fix="polypinch run goes on from there")
    checkpoint = None if run.checkpoint is None else store.verified(run.checkpoint)
    tuned_from = next((arm.model for arm in inputs.study.arms if arm.name == run.arm), None) or model
    base, chat = inputs.models[tuned_from], inputs.chats[tuned_from]
    answering = inputs.study.answering
    settings = {"dtype": str(choose_dtype(answering.precision)).removeprefix("torch.")}
    spec = {
        "arm": run.arm,
        "seed": run.seed,
        "model": base.fingerprint,
        "checkpoint": None if run.checkpoint is None else run.checkpoint.fingerprint,
        "chat": chat.fingerprint,
        "merge": merge,
    }
    final = out.resolve()
    if "," in str(final):
        raise PinchError(f"{final}: {NAME} parts its arguments at commas", fix="name a folder without one")
    with artifact(out, spec, kind="export") as folder:
        tokenizer = _tokenizer(base, chat)
        tokenizer.save_pretrained(folder / "tokenizer")
        if merge:
            Base(base, answering.precision).tuned(checkpoint).save_pretrained(folder / "model")
            tokenizer.save_pretrained(folder / "model")
            settings["pretrained"] = str(final / "model")
        elif checkpoint is not None and (checkpoint / "model").is_dir():
            settings["pretrained"] = str((checkpoint / "model").resolve())
        else:
            settings["pretrained"] = base.path
            if base.revision is not None:
                settings["revision"] = base.revision
            if checkpoint is not None:
                shutil.copytree(checkpoint / "adapter", folder / "adapter")
                settings["peft"] = str(final / "adapter")
        settings["tokenizer"] = str(final / "tokenizer")
        command = _command(settings, final)
        write_text(folder / "command.sh", command + "\n")
    return command


def _command(settings: Mapping[str, str], final: Path) -> str:
    order = ("pretrained", "revision", "peft", "tokenizer", "dtype")
    arguments = ",".join(f"{name}={settings[name]}" for name in order if name in settings)
    words = ["lm_eval", "--model", "hf", "--model_args", arguments, "--tasks", "TASKS"]
    words += ["--apply_chat_template", "--log_samples", "--output_path", str(final / "results")]
    return shlex.join(words)


def _tokenizer(base: Model, chat: ChatFormat) -> Any:
    """Return the base's tokenizer with the study's chat template, ending texts where a turn ends.

    The harness lets a model write on to the tokenizer's end of text, which a base model's template does not
    use.
    """
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = chat.template
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(chat.stop_ids[0])
    return tokenizer
