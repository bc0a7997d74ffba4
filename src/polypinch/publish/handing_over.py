"""From a tuning to a folder that others load as it is: weights, tokenizer, format, and where a turn ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig

from polypinch.chat import ChatFormat
from polypinch.errors import PinchError
from polypinch.files import artifact, read_json, write_json, write_text
from polypinch.models import Model, runs_code
from polypinch.publish.handed import Handed
from polypinch.publish.model_card import hub_name, model_card
from polypinch.tune import load_tuned

CARD = "README.md"
OWN = ("spec.json", "done.json")
"""Files of ours in such a folder, which nobody else needs."""


def hand_over(
    handed: Handed, out: Path, *, adapter: bool = False, licence: str | None = None, overwrite: bool = False
) -> Path:
    """Write a model's folder: it loads, speaks its format and stops as it is.

    Args:
        handed: the model.
        out: the folder.
        adapter: the adapter alone; by default its weights are merged into the base's.
        licence: the base's, for the card.
        overwrite: replace a folder that stands there.

    Raises:
        PinchError: there is no adapter, or it cannot be merged or written.
    """
    source = handed.folder / "adapter"
    if adapter and not source.is_dir():
        raise PinchError(f"{handed.folder} holds whole weights, no adapter", fix="leave out --adapter")
    chat = ChatFormat.of_tuned(handed.base, **handed.summary["chat_template"])
    spec = {
        "tuning": read_json(handed.folder / "done.json")["fingerprint"],
        "base": handed.base.fingerprint,
        "adapter": adapter,
    }
    with artifact(out, spec, kind="export", overwrite=overwrite) as folder:
        if adapter:
            _copy_adapter(source, folder, hub_name(handed) or handed.base.name)
        else:
            # Merged in full precision, and stored as the base is.
            merged = load_tuned(handed.base, handed.folder, "fp32")
            merged.to(_stored(handed.base)).save_pretrained(folder)
        chat.save(folder)
        write_text(folder / CARD, model_card(handed, out.name, adapter=adapter, licence=licence))
    return out


def _stored(base: Model) -> torch.dtype:
    """Return the precision that a base's weights are stored in, as its configuration says."""
    config = AutoConfig.from_pretrained(base.path, revision=base.revision, trust_remote_code=runs_code())
    stored = getattr(config, "dtype", None)
    return stored if isinstance(stored, torch.dtype) else torch.float32


def _copy_adapter(source: Path, folder: Path, base: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(source / name, folder / name)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    write_json(folder / "adapter_config.json", {**config, "base_model_name_or_path": base})


def gguf_command(folder: Path) -> str:
    """Return the command of llama.cpp that converts an exported model."""
    return f"python llama.cpp/convert_hf_to_gguf.py {folder} --outfile {folder.name}.gguf --outtype bf16"
