from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.conversation import RowError, conversation
from polypinch.errors import PinchError
from polypinch.pool.layouts import converter, detect_layout

ASKED, SAID = ("user", "Why?"), ("assistant", "Because.")

LAYOUTS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "messages",
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]},
        [ASKED, SAID],
    ),
    (
        "sharegpt",
        {
            "system": "Be brief.",
            "conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}],
        },
        [("system", "Be brief."), ASKED, SAID],
    ),
    ("alpaca", {"instruction": "Why?", "input": "", "output": "Because."}, [ASKED, SAID]),
    (
        "alpaca",
        {"instruction": "Why?", "input": "It rains.", "output": "Because."},
        [("user", "Why?\n\nIt rains."), SAID],
    ),
    ("alpaca", {"instruction": "Why?", "response": "Because."}, [ASKED, SAID]),
    ("alpaca", {"instruction": "Why?", "answer": "Because."}, [ASKED, SAID]),
    ("alpaca", {"instruction": "Why?", "domain": "physics"}, [ASKED]),
    ("prompt", {"prompt": "Why?", "completion": "Because."}, [ASKED, SAID]),
    ("prompt", {"prompt": "Why?", "response": "Because."}, [ASKED, SAID]),
    ("prompt", {"question": "Why?", "answer": "Because."}, [ASKED, SAID]),
    ("prompt", {"prompt": "Why?"}, [ASKED]),
    ("fastchat", {"question_id": 1, "text": "Why?"}, [ASKED]),
    ("fastchat", {"question_id": 1, "turns": ["Why?", "Really?"]}, [ASKED]),
]


@pytest.mark.parametrize(("name", "row", "turns"), LAYOUTS)
def test_a_layout_is_told_from_its_keys_and_read(
    name: str, row: dict[str, Any], turns: list[tuple[str, str]]
) -> None:
    assert detect_layout(row) == name
    assert conversation(converter(name)(row), prompt_alone=True) == turns


def test_unknown_keys_are_named() -> None:
    with pytest.raises(RowError, match="'foo', 'bar'"):
        detect_layout({"foo": 1, "bar": 2})


def test_an_unknown_layout_lists_the_known_ones() -> None:
    with pytest.raises(PinchError, match="sharegpt"):
        converter("shareGTP")


WRONG = [
    ([ASKED], "there is no response"),
    ([SAID], "turn 1 is the assistant's, the user's was expected"),
    ([ASKED, ASKED, SAID], "turn 2 is the user's"),
    ([ASKED, SAID, SAID], "turn 3 is the assistant's"),
    ([ASKED, ("assistant", " \n")], "turn 2: empty text"),
    ([ASKED, ("assistant", 7)], "turn 2: int where text is needed"),
    ([ASKED, ("assistant", "\ud83d!")], "turn 2: half a surrogate pair"),
    ([("narrator", "Once")], "unknown role 'narrator'"),
    ([ASKED, SAID, ("system", "Be brief.")], "turn 3 is the system's"),
    ([("system", "Be brief.")], "without a turn"),
    ([], "without a turn"),
]


@pytest.mark.parametrize(("turns", "message"), WRONG)
def test_a_wrong_conversation_is_refused_by_turn(turns: list[tuple[str, Any]], message: str) -> None:
    with pytest.raises(RowError, match=message):
        conversation(turns, prompt_alone=False)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
        min_size=1,
        max_size=6,
    )
)
def test_cleaning_twice_changes_nothing_more(texts: list[str]) -> None:
    turns = [("assistant" if turn % 2 else "user", text) for turn, text in enumerate(texts)]
    once = conversation(turns, prompt_alone=True)
    assert conversation(once, prompt_alone=True) == once
    assert [role for role, _ in once] == [role for role, _ in turns]
