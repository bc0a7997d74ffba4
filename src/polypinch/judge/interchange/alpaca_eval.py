"""AlpacaEval's annotations out, and our own back in (Dubois et al. 2023, arXiv 2305.14387).

Its win rate of ``generator_2`` is the mean of ``preference`` less 1: 2 where its output won, 1 where the
other's did, 1.5 for a tie; a null is left out. An annotation that holds both orders' outcome therefore makes
its win rate our score.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.files import write_json
from polypinch.judge.interchange.games import VERDICTS, from_record, games, record, table
from polypinch.judge.protocol import ORDERS, Orders, choice, outcome
from polypinch.reading import read_rows, row_errors

Row = dict[str, Any]


def pair_annotations(
    verdicts: pa.Table, pairs: pa.Table, dataset: str = "polypinch", orders: Orders = "both"
) -> list[Row]:
    """Return verdicts as AlpacaEval's annotations, one for each pair and judge.

    The arm is ``generator_2``, whose win rate they report. Both orders' outcome is the preference; where it
    is missing, so is the preference (null), and neither they nor we count the pair.

    Args:
        verdicts: in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.
        pairs: the texts, in :data:`~polypinch.judge.pairs.PAIR_SCHEMA`.
        dataset: theirs is a name for a part of the evaluation set.
        orders: in which the pairs were judged.

    Raises:
        PinchError: a verdict's pair is not there.
    """
    names = ["item_id", "language", "prompt", "arm_text", "against_text"]
    texts = {(row["item_id"], row["language"]): row for row in pairs.select(names).to_pylist()}
    rows = []
    for shared, seen in games(verdicts):
        key = (shared["item_id"], shared["language"])
        if key not in texts:
            raise PinchError(f"{key[0]} ({key[1]}) has a verdict and no texts", fix="give its pairs")
        made = [choice(order, seen[order].get("winner")) for order in ORDERS if order in seen]
        found = outcome(made, orders)
        rows.append(
            {
                "instruction": texts[key]["prompt"],
                "output_1": texts[key]["against_text"],
                "generator_1": shared["against"],
                "output_2": texts[key]["arm_text"],
                "generator_2": shared["arm"],
                "dataset": dataset,
                "annotator": shared["judge"],
                "preference": None if found is None else 1 + found,
                "language": shared["language"],
                **record(shared, seen),
            }
        )
    return rows


def is_ours(row: Row) -> bool:
    """Tell whether a row of theirs was exported from our verdicts."""
    return isinstance(row.get(VERDICTS), dict) and "orders" in row[VERDICTS]


_EXPORTED = "give what polypinch judge export wrote, as it was"


def read_annotations(path: Path) -> pa.Table:
    """Read back the verdicts of an exported ``annotations.json``, unchanged.

    AlpacaEval's own annotations do not say which output was shown first; read them as labels.

    Raises:
        PinchError: a row was not exported from verdicts.
    """
    rows: list[Row] = []
    for chunk in read_rows(str(path)):
        for number, row in chunk.rows:
            if not is_ours(row):
                raise PinchError(
                    f"{path}: row {number}: not exported from verdicts, so its order is unknown",
                    fix="read it as labels: polypinch judge validate --labels FILE --layout alpaca-eval",
                )
            with row_errors(path, number, _EXPORTED):
                rows += from_record(row)
    with row_errors(path, None, _EXPORTED):
        return table(rows)


def write_alpaca_eval(path: Path, rows: list[Row]) -> None:
    """Write a list of rows as AlpacaEval does, one JSON array."""
    write_json(path, rows)
