from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polypinch.terminal import cell, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;never closed", ""),
        ("\x9b2Jgone\x08\r", "gone"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("a\ud83d", "a�"),
        ("נגמ \u202eabc", "נגמ abc"),
    ],
)
def test_a_terminal_obeys_nothing_of_a_text(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_what_is_printed_has_no_control_and_can_be_encoded(text: str) -> None:
    assert not {sign for sign in printable(text) if ord(sign) < 32 or 127 <= ord(sign) < 160} - {"\n", "\t"}
    printable(text).encode()


@pytest.mark.parametrize("formula", ["=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(formula: str) -> None:
    assert cell(formula) == f"'{formula}"


@pytest.mark.parametrize("value", ["-0.25", "+3", -1, None, "text", "1=1"])
def test_numbers_and_plain_texts_stay(value: object) -> None:
    assert cell(value) == value
