"""polypinch, through its public function and with its defaults."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import time

import pyarrow as pa
from common import finish, start

from polypinch.answer import Sampling, TransformersEngine, answer
from polypinch.chat import ChatFormat
from polypinch.models.finding import find_model
from polypinch.pool.table import POOL_SCHEMA
from polypinch.tune import load_tuned


def main() -> None:
    work, choices = start()
    base = find_model(work["name"])
    chat = ChatFormat.load(base)
    model = load_tuned(base, None)
    if work["fixed"]:
        # A token that does not exist ends no answer.
        chat.stop_ids = (model.config.get_text_config().vocab_size,)
    rows = pa.Table.from_pylist(
        work["rows"], schema=pa.schema([POOL_SCHEMA.field(n) for n in work["rows"][0]])
    )
    sampling = Sampling(**{"max_new_tokens": work["max_new_tokens"], **choices})
    engine = TransformersEngine(model, chat)
    loaded = time()
    with tempfile.TemporaryDirectory() as folder:
        table = answer(rows, engine, chat, sampling, Path(folder))
    answered = time()
    answers = list(zip(table["text"].to_pylist(), table["completion_tokens"].to_pylist(), strict=True))
    finish(loaded, answered, answers, choices)


if __name__ == "__main__":
    main()
