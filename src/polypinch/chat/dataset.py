"""A mixture as other trainers take it in Python: a ``datasets.Dataset`` of tokens and labels."""

from __future__ import annotations

from pathlib import Path

from datasets import Dataset, Features, List, Value

from polypinch.chat.format import ChatFormat
from polypinch.chat.preflight import encode_with_keys
from polypinch.errors import PinchError
from polypinch.files import SPEC, read_json, read_table
from polypinch.mix import MIXTURE_FILE
from polypinch.models import find_model

NOT_LEARNT = -100
"""The label that PyTorch's cross entropy, and so every trainer, leaves out of the loss."""

_FEATURES = Features(
    {
        "item_id": Value("string"),
        "language": Value("string"),
        "input_ids": List(Value("int32")),
        "attention_mask": List(Value("int8")),
        "labels": List(Value("int64")),
    }
)


def load_mixture(
    folder: Path | str, chat: ChatFormat | None = None, max_length: int | None = None
) -> Dataset:
    """Load a mixture as the rows that TRL's ``SFTTrainer`` and transformers' ``Trainer`` take as they are.

    transformers' pads labels with ``DataCollatorForSeq2Seq(tokenizer)``; TRL's needs nothing more.

    Args:
        folder: what ``polypinch mix`` or a study made.
        chat: the chat format; by default that of the model which the mixture was made for.
        max_length: of a row, in tokens; what is beyond is cut off. By default as the mixture was counted.

    Returns:
        A row for each of the mixture's: item_id, language, input_ids, attention_mask (all ones: nothing is
        padded) and labels, the ids of what is learnt and −100 elsewhere.

    Raises:
        PinchError: there is no mixture, it does not say its model and no format is given, or a row cannot be
            written in it.
    """
    folder = Path(folder)
    rows = read_table(folder / MIXTURE_FILE)
    spec = read_json(folder / SPEC) if (folder / SPEC).is_file() else {}
    if chat is None:
        if not isinstance(spec.get("model"), str):
            raise PinchError(
                f"{folder}: the mixture does not say for which model it is",
                fix="give chat=ChatFormat.load(find_model(NAME))",
            )
        template = spec.get("chat_template")
        model = find_model(spec["model"])
        chat = ChatFormat.load(model) if template is None else ChatFormat.of_tuned(model, "file", template)
    cut = max_length if max_length is not None else spec.get("max_length")
    columns: dict[str, list[object]] = {name: [] for name in _FEATURES}
    for item, tag, row in encode_with_keys(chat, rows, cut):
        labels = row.input_ids.astype("int64")
        labels[~row.supervised] = NOT_LEARNT
        of_row = (item, tag, row.input_ids, [1] * len(row), labels)
        for column, value in zip(columns.values(), of_row, strict=True):
            column.append(value)
    made: Dataset = Dataset.from_dict(columns, features=_FEATURES)
    return made
