"""FastChat's judgments of pairs, ``model_judgment/*_pair.jsonl`` (Zheng et al. 2023, arXiv 2306.05685).

A judgment holds both games of a pair: in ``g1`` model_1 was shown first, in ``g2`` model_2. Its adjusted win
rate, win + half the ties, counts another winner in each game as a tie, as the two-order protocol does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.conversation import RowError
from polypinch.files import write_text
from polypinch.judge.interchange.games import VERDICTS, from_record, games, record, table
from polypinch.judge.labels.fields import judge_name, turn_of
from polypinch.judge.labels.layouts import fastchat_item
from polypinch.judge.protocol import ORDERS, choice
from polypinch.languages import language as named
from polypinch.reading import read_rows, row_errors

Row = dict[str, Any]

_ERROR = "error"
_WHO = {"arm": "model_1", "against": "model_2", "tie": "tie", None: _ERROR}


def pair_judgments(verdicts: pa.Table) -> list[Row]:
    """Return verdicts as FastChat's judgments of pairs; the arm is ``model_1``, a missing verdict ``error``.

    Args:
        verdicts: in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.
    """
    rows = []
    for shared, seen in games(verdicts):
        name, turn = _question(shared)
        row: Row = {"question_id": name, "model_1": shared["arm"], "model_2": shared["against"]}
        for game, order in enumerate(ORDERS, start=1):
            row[f"g{game}_winner"] = _WHO[choice(order, seen.get(order, {}).get("winner"))]
        row |= {"judge": shared["judge"].split("/"), "turn": turn, "tstamp": 0.0}
        for game, order in enumerate(ORDERS, start=1):
            row[f"g{game}_user_prompt"] = ""
            row[f"g{game}_judgment"] = seen.get(order, {}).get("raw") or ""
        rows.append({**row, "language": shared["language"], **record(shared, seen)})
    return rows


def _question(shared: Row) -> tuple[str | int, int]:
    """Return the question and turn that an item read from FastChat's files is named by, or the item."""
    item, models = shared["item_id"], sorted((shared["arm"], shared["against"]))
    head = item.removesuffix("/" + "/".join(models))
    question, slash, turn = head.rpartition("/")
    if head == item or not slash or turn not in ("1", "2"):
        return item, 1
    return int(question) if question.isascii() and question.isdigit() else question, int(turn)


_FIELDS = "a row has question_id, model_1, model_2, g1_winner, g2_winner and judge"


def read_pair_judgments(path: Path, language: str | None = None) -> pa.Table:
    """Read FastChat's judgments of pairs as verdicts.

    Our own come back unchanged. Of others, the pair is named by question, turn and models, and the arm is the
    model whose name sorts first, as :func:`~polypinch.judge.labels.read_labels` has it; a game that failed
    (``error``) is a missing verdict.

    Args:
        path: the file.
        language: of rows that do not say theirs.

    Raises:
        PinchError: naming the file and row.
    """
    rows: list[Row] = []
    for chunk in read_rows(str(path)):
        for number, row in chunk.rows:
            with row_errors(path, number, _FIELDS):
                rows += from_record(row) if VERDICTS in row else _verdicts(row, language, path.stem)
    with row_errors(path, None, _FIELDS):
        return table(rows)


def _verdicts(row: Row, language: str | None, judge: str) -> list[Row]:
    one, other = row["model_1"], row["model_2"]
    arm, against = sorted((one, other))
    tag = row.get("language") or language
    if tag is None:
        raise RowError("no language is said, give one with --language")
    shared = {
        "arm": arm,
        "against": against,
        "item_id": fastchat_item(row["question_id"], turn_of(row), [arm, against]),
        "language": named(tag).tag,
        "judge": judge_name(row) or judge,
    }
    found = []
    for game, shown in ((1, (one, other)), (2, (other, one))):
        winner = row[f"g{game}_winner"]
        known = {"model_1": one, "model_2": other}
        if winner not in (*known, "tie", _ERROR):
            raise RowError(f"g{game}_winner is {winner!r}, not model_1, model_2, tie or error")
        if winner in known:
            winner = "first" if known[winner] == shown[0] else "second"
        found.append(
            {
                **shared,
                "order": "arm_first" if shown[0] == arm else "against_first",
                "winner": None if winner == _ERROR else winner,
                "error": "no verdict could be read" if winner == _ERROR else None,
                "raw": row.get(f"g{game}_judgment"),
            }
        )
    return found


def write_json_lines(path: Path, rows: list[Row]) -> None:
    """Write a JSON object per line."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
