from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForCausalLM, DataCollatorForSeq2Seq, Trainer, TrainingArguments

from polypinch.chat import ChatFormat, load_mixture
from polypinch.chat.templates import CHATML
from polypinch.errors import PinchError
from polypinch.files import read_json, read_table
from polypinch.models import find_model
from tests.running import polypinch
from tests.tiny import tiny_model

PLAN = {
    "pool": "pinch12",
    "base": "en",
    "budget": {"examples": 6},
    "doses": [{"languages": ["fi"], "count": 2}],
}


def mixed(folder: Path, *options: object) -> tuple[Path, Path]:
    model = tiny_model(folder / "model")
    (folder / "plan.yaml").write_text(yaml.safe_dump({**PLAN, "seed": 1}))
    done = polypinch("mix", folder / "plan.yaml", "--out", folder / "mix", "--model", model, *options)
    assert not done.returncode, done.stderr
    return model, folder / "mix"


def test_a_trainer_takes_a_mixture_as_it_is_and_learns_what_the_manifest_counts(tmp_path: Path) -> None:
    model, mix = mixed(tmp_path)
    rows = load_mixture(mix)
    learnt = Counter()
    for row in rows:
        learnt[row["language"]] += sum(label != -100 for label in row["labels"])
        assert all(
            label in (-100, token) for label, token in zip(row["labels"], row["input_ids"], strict=True)
        )
    manifest = read_json(mix / "manifest.json")
    assert dict(learnt) == {line["language"]: line["supervised_tokens"] for line in manifest["languages"]}

    arguments = TrainingArguments(
        str(tmp_path / "tuned"), per_device_train_batch_size=3, num_train_epochs=1, report_to=[], use_cpu=True
    )
    padded = DataCollatorForSeq2Seq(ChatFormat.load(find_model(str(model))).tokenizer)
    trainer = Trainer(
        AutoModelForCausalLM.from_pretrained(model), arguments, train_dataset=rows, data_collator=padded
    )
    assert trainer.train().global_step == 2


def test_a_mixture_is_loaded_in_the_format_that_it_was_made_for(tmp_path: Path) -> None:
    own = tmp_path / "own.jinja"
    own.write_text(CHATML)
    model, mix = mixed(tmp_path, "--chat-template", own, "--max-length", 900)
    chat = ChatFormat.load(find_model(str(model)), str(own))
    rows = load_mixture(mix)
    assert chat.tokenizer.decode(rows[0]["input_ids"]).startswith("<|im_start|>user")
    assert (
        rows["input_ids"][0]
        == chat.encode(read_table(mix / "mixture.parquet")["messages"][0].as_py()).input_ids.tolist()
    )
    assert len(load_mixture(mix, chat, max_length=5)[0]["input_ids"]) == 5


def test_a_mixture_that_does_not_say_its_model_asks_for_a_format(tmp_path: Path) -> None:
    _, mix = mixed(tmp_path)
    (mix / "spec.json").unlink()
    with pytest.raises(PinchError, match="for which model"):
        load_mixture(mix)
