from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from polypinch.chat import Encoded, EncodedRows

rows = st.lists(st.tuples(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans())), st.booleans()))


@given(rows)
def test_rows_laid_end_to_end_come_back_as_they_were(
    given_rows: list[tuple[list[tuple[int, bool]], bool]],
) -> None:
    made = [
        Encoded(np.array([i for i, _ in row], np.int32), np.array([s for _, s in row], np.bool_), cut)
        for row, cut in given_rows
    ]
    kept = EncodedRows()
    handed_out = []
    for row in made:
        kept.append(row)
        handed_out.append(kept[-1])  # what was handed out must not keep the next from being added
    assert len(kept) == len(made)
    for found in (list(kept), handed_out, kept[:]):
        for one, row in zip(found, made, strict=True):
            assert one.input_ids.tolist() == row.input_ids.tolist()
            assert one.supervised.tolist() == row.supervised.tolist()
            assert one.truncated == row.truncated


def test_a_row_that_is_not_there_is_an_error() -> None:
    kept = EncodedRows()
    kept.append(Encoded.of([1], [True]))
    with pytest.raises(IndexError):
        kept[1]
