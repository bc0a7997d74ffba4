from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from polypinch.chat import ChatFormat
from polypinch.chat.templates import BUILT_IN, CHATML, marked
from polypinch.conversation import Messages
from polypinch.mix import TrainerFormat, export
from polypinch.pool import MESSAGES
from tests.tiny import tiny_tokenizer

TURNS: Messages = [
    {"role": "user", "content": "Say Привет!"},
    {"role": "assistant", "content": "Привет! user"},
    {"role": "user", "content": " Again: Привет!"},
    {"role": "assistant", "content": " Привет! और फिर।\n"},
]


@pytest.mark.parametrize("name", BUILT_IN)
def test_marks_say_what_we_learn_and_change_no_text(name: str) -> None:
    tokenizer = tiny_tokenizer()
    tokens = ["<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": [*tokens, "<start_of_turn>", "<end_of_turn>"]})
    template = marked(BUILT_IN[name])
    for messages in (TURNS, TURNS[:2], [{"role": "system", "content": "Be brief."}, *TURNS]):
        ours = ChatFormat(tokenizer, BUILT_IN[name], name)
        assert ours.render(messages) == ChatFormat(tokenizer, template).render(messages)
        theirs = tokenizer.apply_chat_template(
            messages, chat_template=template, return_dict=True, return_assistant_tokens_mask=True
        )
        row = ours.encode(messages)
        assert theirs["input_ids"] == row.input_ids.tolist()
        assert [bool(flag) for flag in theirs["assistant_masks"]] == row.supervised.tolist()


def test_marks_are_put_into_no_template_that_we_do_not_know() -> None:
    assert marked("{% for m in messages %}{{ m['content'] }}{% endfor %}") is None
    own = "{% generation %}{{ messages[0]['content'] }}{% endgeneration %}"
    assert marked(own) == own


def test_entries_name_the_format_that_goes_with_the_rows(tmp_path: Path) -> None:
    table = pa.table({"item_id": ["a"], "language": ["ru"], "messages": pa.array([TURNS], MESSAGES)})
    chat = ChatFormat(tiny_tokenizer())
    export(table, tmp_path, chat.for_trainers())
    trl, axolotl = (yaml.safe_load((tmp_path / f"{name}.yaml").read_text()) for name in ("trl", "axolotl"))
    assert (tmp_path / trl["chat_template_path"]).read_text() == marked(chat.template)
    assert trl["eos_token"] == "<end_of_turn>"
    assert axolotl["chat_template"] == "jinja"
    assert axolotl["chat_template_jinja"] == chat.template
    assert axolotl["eot_tokens"] == ["<end_of_turn>"]
    own = ChatFormat(
        tiny_tokenizer(), CHATML.replace("message ", "turn ").replace("message[", "turn[")
    ).for_trainers()
    assert own.marked is None
    export(table, tmp_path / "own", own)
    assert "chat_template_path" not in yaml.safe_load((tmp_path / "own" / "trl.yaml").read_text())


def test_an_adapters_folder_speaks_the_format_that_it_was_tuned_in(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, GenerationConfig

    chat = ChatFormat(tiny_tokenizer(), CHATML.replace("<|im_end|>", "<end_of_turn>"))
    chat.save(tmp_path)
    assert chat.tokenizer.chat_template is None
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.apply_chat_template(TURNS, tokenize=False) == chat.render(TURNS)
    assert GenerationConfig.from_pretrained(tmp_path).eos_token_id == list(chat.stop_ids)


@pytest.mark.parametrize(
    ("name", "template"), [("gemma", "gemma"), ("chatml", "chatml"), ("own", None), ("plain", None)]
)
def test_llama_factory_gets_the_template_that_equals_ours_or_a_word_that_it_has_none(
    tmp_path: Path, name: str, template: str | None
) -> None:
    table = pa.table({"item_id": ["a"], "language": ["ru"], "messages": pa.array([TURNS], MESSAGES)})
    export(table, tmp_path, TrainerFormat(name, BUILT_IN.get(name, "own"), None, ("<eos>",)))
    written = (tmp_path / "llamafactory.yaml").read_text()
    entry = yaml.safe_load(written)
    assert entry.get("template") == template
    assert ("# LLaMA-Factory has no template that equals 'plain'" in written) == (name == "plain")
    rows = json.loads((tmp_path / entry["dataset_dir"] / "dataset_info.json").read_text())
    assert (tmp_path / rows[entry["dataset"]]["file_name"]).is_file()
