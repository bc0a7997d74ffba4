"""What is learnt is found by its place, whatever the template writes around it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

from polypinch.chat import ChatFormat, check_rows, notices
from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.models import find_model
from polypinch.pool import MESSAGES
from tests.tiny import tiny_model, tiny_tokenizer

LOOP = "{% for m in messages %}"
HEADER = LOOP + "<start_of_turn>{{ m['role'] }}\n{{ m['content'] }}<end_of_turn>\n{% endfor %}"
OPENS = HEADER + "{% if add_generation_prompt %}<start_of_turn>assistant\n{% endif %}"
TEMPLATES = {
    "no generation prompt": LOOP
    + "{{ 'USER: ' if m['role'] == 'user' else 'ASSISTANT: ' }}{{ m['content'] }}"
    + "{{ eos_token if m['role'] == 'assistant' else '\n' }}{% endfor %}",
    "words in the header": LOOP
    + "<start_of_turn>{{ m['role'] }}{% if m['role'] == 'assistant' %} final{% endif %}: {{ m['content'] }}"
    + "{{ eos_token if loop.last and m['role'] == 'assistant' else '<end_of_turn>' }}{% endfor %}"
    + "{% if add_generation_prompt %}<start_of_turn>assistant{% endif %}",
    "an empty thought before the last answer": LOOP
    + "<start_of_turn>{{ m['role'] }}\n"
    + "{% if loop.last and m['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
    + "{{ m['content'] }}<end_of_turn>\n{% endfor %}"
    + "{% if add_generation_prompt %}<start_of_turn>assistant\n"
    + "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
    + "{% endif %}",
    "a space after the header": LOOP
    + "[{{ m['role'] }}] {{ m['content'] }}{{ eos_token if m['role'] == 'assistant' else '' }} {% endfor %}"
    + "{% if add_generation_prompt %}[assistant]{% endif %}",
}


def supervised(chat: ChatFormat, messages: Messages) -> str:
    row = chat.encode(messages)
    return str(chat.tokenizer.decode(row.input_ids[row.supervised]))


def asked(*answers: str) -> Messages:
    messages: Messages = []
    for answer in answers:
        messages += [
            {"role": "user", "content": "final or ASSISTANT?"},
            {"role": "assistant", "content": answer},
        ]
    return messages


@pytest.mark.parametrize("kind", TEMPLATES)
@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.sampled_from(["final", "assistant", "A", "S", "Kyllä.", "ASSISTANT", "think", "你好", "user"]),
        min_size=1,
        max_size=3,
    )
)
def test_answers_and_their_ends_are_learnt_and_a_prompt_is_the_rows_beginning(
    kind: str, answers: list[str]
) -> None:
    chat = ChatFormat(tiny_tokenizer(), TEMPLATES[kind])
    messages = asked(*answers)
    text = supervised(chat, messages)
    for end in ("<eos>", "<end_of_turn>"):
        text = text.replace(end, "|")
    assert [part.strip() for part in text.split("|")] == [*answers, ""]
    row, prompt = chat.encode(messages), chat.encode_prompt(messages[:-1])
    assert row.input_ids[: len(prompt)].tolist() == prompt
    assert row.supervised[len(prompt)]
    assert not check_rows(chat, [("i", "en", row)])


def test_earlier_turns_end_as_the_last_or_not_and_both_ends_stop_an_answer() -> None:
    chat = ChatFormat(tiny_tokenizer(), TEMPLATES["words in the header"])
    assert {chat.tokenizer.convert_ids_to_tokens(token) for token in chat.stop_ids} == {
        "<eos>",
        "<end_of_turn>",
    }


@pytest.mark.parametrize("single", ["<bos> $A <eos>", "$A <eos>", "<bos> $A"])
def test_nothing_stands_after_a_prompt(single: str) -> None:
    tokenizer = tiny_tokenizer()
    ids = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<bos>", "<eos>")]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=f"{single} $B", special_tokens=ids
    )
    chat = ChatFormat(tokenizer, OPENS)
    prompt = chat.encode_prompt([{"role": "user", "content": "Hei"}])
    text = chat.tokenizer.decode(prompt)
    assert (
        text
        == f"{'<bos>' * ('<bos>' in single)}<start_of_turn>user\nHei<end_of_turn>\n<start_of_turn>assistant\n"
    )


def test_a_thought_that_the_row_brings_is_learnt_and_none_that_the_template_writes() -> None:
    chat = ChatFormat(tiny_tokenizer(), TEMPLATES["an empty thought before the last answer"])
    assert supervised(chat, asked("Blue.")) == "Blue.<end_of_turn>"
    plain = ChatFormat(tiny_tokenizer(), OPENS)
    thought = "<think>\nA colour.\n</think>\n\nBlue."
    assert supervised(plain, asked(thought)) == f"{thought}<end_of_turn>"


def added(*tokens: str) -> PreTrainedTokenizerFast:
    tokenizer = tiny_tokenizer(turns=False)
    tokenizer.add_tokens(list(tokens))
    return tokenizer


def test_an_end_of_turn_that_is_merely_added_closes_a_turn() -> None:
    chat = ChatFormat(added("<start_of_turn>", "<end_of_turn>"), OPENS)
    row = chat.encode(asked("Blue."))
    assert not check_rows(chat, [("i", "en", row)])
    assert supervised(chat, asked("Blue.")) == "Blue.<end_of_turn>"


HELD = ["<eos>", "<end_of_turn>", "<bos>", "<start_of_turn>", "<<eos>>", "a<eos>", "<end_of_turn><eos>"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*HELD, "text ", "Я ", "\n", "<", ">", "<eo"]), min_size=1, max_size=5))
@pytest.mark.parametrize("special", [True, False])
def test_control_tokens_in_texts_are_read_as_text(special: bool, parts: list[str]) -> None:
    tokenizer = tiny_tokenizer() if special else added("<start_of_turn>", "<end_of_turn>")
    chat = ChatFormat(tokenizer, OPENS)
    text = "x" + "".join(parts) + "x"
    for messages in (
        asked(text),
        [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}],
    ):
        row, prompt = chat.encode(messages), chat.encode_prompt(messages[:-1])
        tokens = [chat.tokenizer.convert_ids_to_tokens(int(token)) for token in row.input_ids]
        assert tokens.count("<end_of_turn>") == 2
        assert not {"<eos>", "<bos>"} & set(tokens)
        assert row.input_ids[: len(prompt)].tolist() == prompt
        assert chat.tokenizer.decode(row.input_ids) == chat.render(messages)
        assert supervised(chat, messages) == f"{messages[-1]['content']}<end_of_turn>"


def rows(*conversations: tuple[str, Messages]) -> pa.Table:
    tags = [tag for tag, _ in conversations]
    messages = pa.array([messages for _, messages in conversations], MESSAGES)
    return pa.table({"language": tags, "messages": messages})


def test_what_a_reader_should_know_is_counted_by_language() -> None:
    template = OPENS.replace(LOOP, LOOP + "{% if m['role'] != 'system' %}").replace(
        "<end_of_turn>\n{% endfor", "<end_of_turn>\n{% endif %}{% endfor"
    )
    system: Messages = [{"role": "system", "content": "Be brief."}]
    told = notices(
        ChatFormat(tiny_tokenizer(), template),
        rows(
            ("en", asked("Write <eos> there.")),
            ("fi", [*system, *asked("Hei")]),
            ("fi", [*system, *asked("Moi <bos>")]),
        ),
        "rows",
    )
    assert [problem.message.partition(": ")[2] for problem in told] == [
        "2 rows (1 in en, 1 in fi)",
        "2 rows (2 in fi)",
    ]
    assert not notices(ChatFormat(tiny_tokenizer(), OPENS), rows(("fi", [*system, *asked("Hei")])), "rows")


def test_a_system_turn_of_one_language_alone_is_told() -> None:
    system = [{"role": "system", "content": "Be kind."}]
    uneven = rows(("en", [*system, *asked("Hi")]), ("fi", asked("Hei")))
    assert [p.message for p in notices(ChatFormat(tiny_tokenizer(), OPENS), uneven, "rows")] == [
        "a system turn is in 100% of the rows in en and in 0% of those in fi: it marks the language"
    ]


@pytest.mark.parametrize("day", [4, 5])
def test_a_date_is_the_same_on_every_day(day: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Day(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Day:
            return cls(2031, 3, day)

    dated = (
        "{{ strftime_now('%A, %-d %B %Y, %y-%m-%d') }}{% set d = strftime_now('%d %b %Y') %}{{ d }}" + OPENS
    )
    monkeypatch.setattr(chat_template_utils, "datetime", Day)
    chat, told = ChatFormat(tiny_tokenizer(), dated), asked("a")
    theirs = chat.tokenizer.apply_chat_template(told, chat_template=dated, tokenize=False)
    assert f"{day} March 2031" in theirs
    assert chat.render(told).startswith("Friday, 26 July 2024, 24-07-2626 Jul 2024<start_of_turn>")
    assert chat.fingerprint == ChatFormat(tiny_tokenizer(), dated).fingerprint
    assert notices(chat, rows(("en", told)), "rows")


def test_of_several_own_templates_the_default_is_taken_or_the_one_named(tmp_path: Path) -> None:
    model = find_model(tiny_model(tmp_path))
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = {"default": OPENS, "rag": TEMPLATES["no generation prompt"]}
    tokenizer.save_pretrained(tmp_path)
    assert ChatFormat.load(model).template == OPENS
    assert ChatFormat.load(model, "rag").template == TEMPLATES["no generation prompt"]
    tokenizer.chat_template = {"rag": OPENS, "tool_use": OPENS}
    with pytest.raises(PinchError, match="rag, tool_use, and none is the default"):
        ChatFormat(tokenizer)


def test_a_template_files_encoding_mark_is_no_text(tmp_path: Path) -> None:
    model = find_model(tiny_model(tmp_path))
    file = tmp_path / "mine.jinja"
    file.write_text(OPENS, encoding="utf-8-sig")
    assert ChatFormat.load(model, str(file)).template == OPENS
    file.write_text(OPENS, encoding="utf-16")
    with pytest.raises(PinchError, match="not UTF-8"):
        ChatFormat.load(model, str(file))


def test_a_token_without_an_embedding_is_refused(tmp_path: Path) -> None:
    model = find_model(tiny_model(tmp_path))
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([f"<|t{n}|>" for n in range(200)])
    tokenizer.save_pretrained(tmp_path)
    file = tmp_path / "mine.jinja"
    file.write_text(OPENS.replace("<start_of_turn>", "<|t199|>"))
    ChatFormat.load(model)  # none of them is used
    with pytest.raises(PinchError, match=r"'<\|t199\|>' has id \d+, and the model's embedding has 600 rows"):
        ChatFormat.load(model, str(file))
