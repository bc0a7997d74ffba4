"""A mixture for other trainers: messages JSON Lines, with entries for TRL, LLaMA-Factory and Axolotl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from polypinch.files import write_json, write_text

ROWS = "train.jsonl"


def export(table: pa.Table, directory: Path) -> None:
    """Write a mixture for use elsewhere.

    Args:
        table: the mixture's rows.
        directory: gets ``train.jsonl`` (one ``{"messages": […]}`` a line, with item_id and language beside),
            ``trl.yaml`` (``trl sft --config``), ``dataset_info.json`` (LLaMA-Factory, ``dataset_dir`` is this
            folder) and ``axolotl.yaml`` (its ``datasets`` block).

    Raises:
        PinchError: it cannot be written.
    """
    columns = [table[name].to_pylist() for name in ("item_id", "language", "messages")]
    lines = [
        json.dumps({"item_id": item, "language": tag, "messages": messages}, ensure_ascii=False)
        for item, tag, messages in zip(*columns, strict=True)
    ]
    write_text(directory / ROWS, "".join(line + "\n" for line in lines))
    write_text(directory / "trl.yaml", _yaml(trl_entry()))
    write_json(directory / "dataset_info.json", llama_factory_entry())
    write_text(directory / "axolotl.yaml", _yaml(axolotl_entry()))


def _yaml(value: dict[str, Any]) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def trl_entry() -> dict[str, Any]:
    """Return TRL's script arguments; the loss is on assistant turns alone, as here."""
    return {"datasets": [{"path": "json", "data_files": ROWS, "split": "train"}], "assistant_only_loss": True}


def llama_factory_entry() -> dict[str, Any]:
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


def axolotl_entry() -> dict[str, Any]:
    """Return Axolotl's ``datasets`` block."""
    return {
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
        ]
    }
