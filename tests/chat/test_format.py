from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polypinch.chat import ChatFormat, check_rows, count_tokens
from polypinch.chat.templates import BUILT_IN, CHATML
from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.models.finding import find_model
from tests.tiny import tiny_model, tiny_tokenizer

TWO_TURNS: Messages = [
    {"role": "user", "content": "Say Привет!"},
    {"role": "assistant", "content": "Привет!"},
    {"role": "user", "content": "Again: Привет!"},
    {"role": "assistant", "content": " Привет! और फिर।\n"},
]


def supervised_text(chat: ChatFormat, messages: Messages, max_length: int | None = None) -> str:
    row = chat.encode(messages, max_length)
    return str(
        chat.tokenizer.decode([i for i, flag in zip(row.input_ids, row.supervised, strict=True) if flag])
    )


def test_a_base_model_gets_its_familys_turns_where_its_vocabulary_holds_them() -> None:
    assert ChatFormat(tiny_tokenizer()).name == "gemma"
    assert ChatFormat(tiny_tokenizer(turns=False)).name == "plain"
    own = tiny_tokenizer()
    own.chat_template = CHATML
    assert ChatFormat(own).name == "own"


@pytest.mark.parametrize(("turns", "end"), [(True, "<end_of_turn>"), (False, "<eos>")])
def test_every_assistant_turn_and_its_end_are_supervised_and_nothing_else(turns: bool, end: str) -> None:
    chat = ChatFormat(tiny_tokenizer(turns))
    assert supervised_text(chat, TWO_TURNS) == f"Привет!{end}Привет! और फिर।{end}"
    assert chat.tokenizer.convert_tokens_to_ids(end) in chat.stop_ids


def test_a_prompt_is_the_beginning_of_what_was_trained_on() -> None:
    for turns in (True, False):
        chat = ChatFormat(tiny_tokenizer(turns))
        for upto in (1, 3):
            given = chat.encode_prompt(TWO_TURNS[:upto])
            whole = chat.encode(TWO_TURNS)
            assert whole.input_ids[: len(given)].tolist() == given
            assert whole.supervised[len(given)]
            assert not whole.supervised[len(given) - 1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_is_answered_is_what_is_supervised(answers: list[str]) -> None:
    chat = ChatFormat(tiny_tokenizer())
    kept = [answer for answer in answers if answer.strip()]
    messages: Messages = []
    for answer in kept:
        messages += [{"role": "user", "content": "ok?"}, {"role": "assistant", "content": answer}]
    if messages:
        assert supervised_text(chat, messages) == "".join(f"{answer.strip()}<end_of_turn>" for answer in kept)


def test_the_bos_stands_once(tmp_path: Path) -> None:
    for name in BUILT_IN:
        chat = ChatFormat.load(find_model(tiny_model(tmp_path / name)), name)
        ids = chat.encode(TWO_TURNS).input_ids.tolist()
        assert ids.count(chat.tokenizer.bos_token_id) <= 1
        problems = check_rows(chat, [("a", "en", chat.encode(TWO_TURNS))])
        # ChatML's and Llama 3's tokens are not in this vocabulary, so those turns do not end in one token.
        assert {problem.message for problem in problems} <= {"the end of the last turn is not supervised"}
        assert (not problems) == (name in ("gemma", "plain"))


def test_truncation_is_said() -> None:
    chat = ChatFormat(tiny_tokenizer())
    whole = chat.encode(TWO_TURNS)
    cut = chat.encode(TWO_TURNS, max_length=len(whole.input_ids) - 4)
    assert cut.truncated
    assert not whole.truncated
    assert cut.input_ids.tolist() == whole.input_ids[:-4].tolist()
    assert list(count_tokens(chat, 10)([TWO_TURNS])) == [(10, 0, True)]


def test_many_are_encoded_as_each_alone_kept_or_not() -> None:
    conversations = [
        [{"role": "user", "content": f"Say {n}!"}, {"role": "assistant", "content": "и" * (n % 7 + 1)}]
        for n in range(150)
    ]
    chat, keeping = ChatFormat(tiny_tokenizer()), ChatFormat(tiny_tokenizer())
    keeping.keep()
    alone = [chat.encode(messages, 12) for messages in conversations]
    list(keeping.encode_each(conversations))
    keeping.tokenizer = None  # nothing is tokenised again
    for found in (chat.encode_each(conversations, 12), keeping.encode_each(conversations, 12)):
        for one, other in zip(found, alone, strict=True):
            assert one.input_ids.tolist() == other.input_ids.tolist()
            assert one.supervised.tolist() == other.supervised.tolist()
            assert one.truncated == other.truncated


def test_one_that_cannot_be_encoded_raises_at_its_turn() -> None:
    chat = ChatFormat(tiny_tokenizer(), REFUSES_SYSTEM)
    system = [{"role": "system", "content": "Be brief."}, *TWO_TURNS]
    found = chat.encode_each([TWO_TURNS, TWO_TURNS, system, TWO_TURNS])
    assert len(next(found)) == len(next(found)) > 0
    with pytest.raises(PinchError, match="refuses a conversation of roles system"):
        next(found)


def test_only_the_last_turn_is_left_supervised_when_earlier_ones_are_context() -> None:
    chat = ChatFormat(tiny_tokenizer())
    whole = chat.encode(TWO_TURNS)
    last = whole.last_turn()
    before = len(chat.encode_prompt(TWO_TURNS[:3]))
    assert last.supervised.tolist() == [
        flag and index >= before for index, flag in enumerate(whole.supervised.tolist())
    ]
    assert 0 < last.supervised_tokens < whole.supervised_tokens


def test_the_longest_special_token_ends_a_turn() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<end_of_turn><eos>"]})
    chat = ChatFormat(tokenizer)
    assert chat.rendering.end_of_turn("Yes. \n<end_of_turn><eos> more", 4) == 24
    assert chat.rendering.end_of_turn("Yes. more", 4) == 4


REFUSES_SYSTEM = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "<start_of_turn>{{ m['role'] }}\n{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>assistant\n{% endif %}"
)
BROKEN = {
    "refuses": "{{ raise_exception('no system role') }}",
    "hides": "{% for m in messages %}{{ m['role'] }}: {{ m['content'] | upper }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}",
    "rewrites": "{{ messages | length }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}",
}


@pytest.mark.parametrize(
    ("kind", "message"), [("refuses", "refuses"), ("hides", "changes"), ("rewrites", "differently")]
)
def test_a_template_that_would_ruin_the_mask_is_refused(kind: str, message: str) -> None:
    with pytest.raises(PinchError, match=message):
        ChatFormat(tiny_tokenizer(), BROKEN[kind]).encode(TWO_TURNS)


def test_a_template_that_drops_answers_once_more_is_said_leaves_no_doubt(tmp_path: Path) -> None:
    # As Qwen 3 does it: an empty thought before the last answer only.
    template = (
        "{% for m in messages %}<start_of_turn>{{ m['role'] }}\n"
        "{% if m['role'] == 'assistant' and loop.last %}<think></think>{% endif %}"
        "{{ m['content'] | trim }}<end_of_turn>\n"
        "{% endfor %}{% if add_generation_prompt %}<start_of_turn>assistant\n{% endif %}"
    )
    chat = ChatFormat(tiny_tokenizer(), template)
    assert supervised_text(chat, TWO_TURNS) == "Привет!<end_of_turn>Привет! और फिर।<end_of_turn>"
    prompt = chat.encode_prompt(TWO_TURNS[:3])
    assert chat.encode(TWO_TURNS).input_ids[: len(prompt)].tolist() == prompt
    assert chat.tokenizer.decode(prompt).endswith("<think></think>")


def test_an_unknown_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="no chat template 'alpaca'"):
        ChatFormat.load(find_model(tiny_model(tmp_path)), "alpaca")


def encoded(ids: list[int], supervised: list[bool]) -> Any:
    from polypinch.chat import Encoded

    return Encoded(ids, supervised, False)


@pytest.mark.parametrize(
    ("ids", "mask", "message"),
    [
        ([2, 7, 8], [False] * 3, "no token is supervised"),
        ([2, 7, 5], [True] * 3, "every token is supervised"),
        ([2, 2, 7, 5], [False, False, True, True], "the BOS is doubled"),
        ([2, 7, 8], [False, True, True], "the end of the last turn is not supervised"),
    ],
)
def test_each_problem_names_its_row(ids: list[int], mask: list[bool], message: str) -> None:
    problems = check_rows(ChatFormat(tiny_tokenizer()), [("k1", "sw", encoded(ids, mask))])
    assert [(problem.where, problem.message) for problem in problems] == [
        ("row 1 (item 'k1' in 'sw')", message)
    ]
