from __future__ import annotations

import pyarrow as pa
import pytest

from polypinch.errors import PinchError
from polypinch.tasks import Task, open_task
from polypinch.tasks.leakage import asked, refuse_trained
from tests.pools import pool_of, row
from tests.tasks.data import mgsm


def asking(text: str) -> pa.Table:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "5"}]
    return pool_of([row("a", "en"), row("b", "sw", messages=turns)]).select()


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, str]]:
    path = str(mgsm(tmp_path_factory.mktemp("mgsm")))
    return asked([open_task(Task(name="m", layout="mgsm", path=path))])


@pytest.mark.parametrize(
    "text",
    [
        "fi: Ann has 3 eggs and buys 2. How many?",
        "FI: Ann has 3 eggs, and buys 2... how many",
        "fi: Ann has 3 eggs and buys 2. How many?\n\nAnna vastaus lukuna.",
    ],
)
def test_a_row_that_asks_what_a_task_asks_is_refused(
    texts: dict[str, tuple[str, str, str]], text: str
) -> None:
    with pytest.raises(PinchError, match="row 'b' in 'sw' asks what item '4' in 'fi' of task m does"):
        refuse_trained(asking(text), texts)


def test_other_rows_are_not(texts: dict[str, tuple[str, str, str]]) -> None:
    refuse_trained(asking("fi: Ann has 30 eggs and buys 2. How many?"), texts)
