"""A mixture for other trainers: messages JSON Lines, with entries for TRL, LLaMA-Factory and Axolotl."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from polypinch.files import write_json, write_text

ROWS, TEMPLATE = "train.jsonl", "chat_template.jinja"
_LLAMA_FACTORY = ("gemma", "chatml", "llama3")
"""Templates of ours that it has under the same name."""


@dataclass(frozen=True)
class TrainerFormat:
    """The chat format that rows are to be trained in.

    Attributes:
        name: of a built-in template; ``own`` or ``file`` of others.
        template: the Jinja text.
        marked: the same with ``{% generation %}`` around what is learnt; ``None`` where it cannot be had.
        ends: the tokens that end an answer, the usual one first.
    """

    name: str
    template: str
    marked: str | None
    ends: tuple[str, ...]


def export(table: pa.Table, directory: Path, chat: TrainerFormat | None = None) -> None:
    """Write a mixture for use elsewhere.

    Args:
        table: the mixture's rows.
        directory: gets ``train.jsonl`` (one ``{"messages": […]}`` a line, with item_id and language beside),
            ``trl.yaml`` (``trl sft --config``), ``llamafactory.yaml`` with ``dataset_info.json``
            (``llamafactory-cli train``, in this folder) and ``axolotl.yaml`` (its ``datasets`` block).
        chat: the format to train in; it goes with the rows as ``chat_template.jinja``, and TRL's entry and
            Axolotl's name it and what ends a turn; LLaMA-Factory's names the template that equals it.
            Without it those trainers take the model's own.

    Raises:
        PinchError: it cannot be written.
    """
    columns = [table[name].to_pylist() for name in ("item_id", "language", "messages")]
    lines = [
        json.dumps({"item_id": item, "language": tag, "messages": messages}, ensure_ascii=False)
        for item, tag, messages in zip(*columns, strict=True)
    ]
    write_text(directory / ROWS, "".join(line + "\n" for line in lines))
    if chat is not None:
        write_text(directory / TEMPLATE, chat.marked or chat.template)
    write_text(directory / "trl.yaml", _yaml(trl_entry(chat)))
    write_json(directory / "dataset_info.json", llama_factory_rows())
    write_text(directory / "llamafactory.yaml", llama_factory_entry(chat))
    write_text(directory / "axolotl.yaml", _yaml(axolotl_entry(chat)))


def _yaml(value: dict[str, Any]) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def trl_entry(chat: TrainerFormat | None = None) -> dict[str, Any]:
    """Return TRL's script arguments; the loss is on assistant turns alone, as here.

    TRL finds them by the template's ``{% generation %}`` marks.
    """
    format_: dict[str, Any] = {}
    if chat is not None and chat.marked is not None:
        format_ = {"chat_template_path": TEMPLATE, "eos_token": chat.ends[0]}
    rows = {"path": "json", "data_files": ROWS, "split": "train"}
    return {"datasets": [rows], "assistant_only_loss": True, **format_}


def llama_factory_entry(chat: TrainerFormat | None = None) -> str:
    """Return LLaMA-Factory's arguments; what is missing is the model and where to write.

    It writes templates itself, and knows none like our ``plain``. A model's own it reads from the model, so
    that a system turn is the template's and none is added.
    """
    entry = {"stage": "sft", "do_train": True, "finetuning_type": "lora"}
    rows = {"dataset": "polypinch", "dataset_dir": "."}
    if chat is None or chat.name == "own":
        return _yaml({**entry, **rows})
    if chat.name in _LLAMA_FACTORY:
        return _yaml({**entry, **rows, "template": chat.name})
    return f"# LLaMA-Factory has no template that equals {chat.name!r}: name one that does.\n" + _yaml(
        {**entry, **rows, "template": None}
    )


def llama_factory_rows() -> dict[str, Any]:
    """Return LLaMA-Factory's ``dataset_info.json``."""
    return {
        "polypinch": {
            "file_name": ROWS,
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": {
                "role_tag": "role",
                "content_tag": "content",
                "user_tag": "user",
                "assistant_tag": "assistant",
                "system_tag": "system",
            },
        }
    }


def axolotl_entry(chat: TrainerFormat | None = None) -> dict[str, Any]:
    """Return Axolotl's ``datasets`` block, and the chat template.

    It learns the end of a turn only where ``eot_tokens`` names it.
    """
    format_: dict[str, Any] = {}
    if chat is not None:
        format_ = {
            "chat_template": "jinja",
            "chat_template_jinja": chat.template,
            "eot_tokens": list(chat.ends),
        }
    return {
        **format_,
        "datasets": [
            {
                "path": ROWS,
                "ds_type": "json",
                "type": "chat_template",
                "field_messages": "messages",
                "message_property_mappings": {"role": "role", "content": "content"},
                "roles_to_train": ["assistant"],
                "train_on_eos": "turn",
            }
        ],
    }
