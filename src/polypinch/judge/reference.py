"""The judge ``reference``: fidelity times chrF against a reference answer. Not an LLM judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pyarrow as pa
from sacrebleu.metrics import CHRF

from polypinch.fidelity import fidelity_table
from polypinch.judge.protocol import ORDERS, VERDICT_SCHEMA, Sides

NAME = "reference"
TIE_MARGIN = 2.0

Key = tuple[str, str]
"""(item_id, language)."""


def chrf(text: str, reference: str) -> float:
    """Return sentence-level chrF, 0 to 100 (Popović 2015), as sacrebleu computes it."""
    return float(CHRF(eps_smoothing=True).sentence_score(text, [reference]).score) if text else 0.0


def quality(text: str, reference: str, in_language: bool | None) -> float:
    """Return fidelity × chrF, 0 to 100.

    An answer whose language cannot be told (a number, one short word) is not held to be in the wrong one.
    """
    return 0.0 if in_language is False else chrf(text, reference)


def judge(
    sides: Sides,
    ours: Mapping[Key, float],
    theirs: Mapping[Key, float],
    keys: Sequence[Key],
    tie_margin: float = TIE_MARGIN,
    lengths: Mapping[Key, tuple[int | None, int | None]] | None = None,
) -> pa.Table:
    """Give verdicts on two arms' answers from their qualities.

    It sees no order, so its two orders agree; both are written so that every judge's verdicts look alike.

    Args:
        sides: whose answers they are.
        ours: quality of each of the arm's answers; see :func:`quality`.
        theirs: quality of the other's.
        keys: which answers to compare; one that either side lacks gets a missing verdict.
        tie_margin: qualities no further apart than this, in points of chrF, are a tie.
        lengths: of both answers, in characters, for the record.

    Returns:
        Two rows per key in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.
    """
    rows = []
    for item, tag in keys:
        one, other = ours.get((item, tag)), theirs.get((item, tag))
        for order in ORDERS:
            row: dict[str, object] = {
                **asdict(sides),
                "item_id": item,
                "language": tag,
                "order": order,
                "judge": NAME,
                "winner": None,
                "error": None,
            }
            row["arm_length"], row["against_length"] = (lengths or {}).get((item, tag), (None, None))
            if one is None or other is None:
                row["error"] = "an answer or its reference is missing"
            elif abs(one - other) <= tie_margin:
                row["winner"] = "tie"
            else:
                row["winner"] = "first" if (one > other) == (order == "arm_first") else "second"
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def judge_by_reference(pairs: pa.Table, sides: Sides, tie_margin: float = TIE_MARGIN) -> pa.Table:
    """Give verdicts on pairs that hold their references.

    The language of an answer is told among those of the pairs, and English.

    Args:
        pairs: in :data:`~polypinch.judge.pairs.PAIR_SCHEMA`; one without a reference gets a missing verdict.
        sides: whose answers they are.
        tie_margin: as for :func:`judge`.

    Returns:
        Two rows per pair in :data:`~polypinch.judge.protocol.VERDICT_SCHEMA`.
    """
    tags, references = pairs["language"].to_pylist(), pairs["reference"].to_pylist()
    keys = list(zip(pairs["item_id"].to_pylist(), tags, strict=True))
    candidates = sorted({*tags, *([] if any(tag.split("-")[0] == "en" for tag in tags) else ["en"])})
    qualities: list[dict[Key, float]] = []
    texts = [pairs[f"{side}_text"].to_pylist() for side in ("arm", "against")]
    for answers in texts:
        found = fidelity_table([text or "" for text in answers], tags, candidates)["in_language"].to_pylist()
        qualities.append(
            {
                key: quality(text, reference, flag)
                for key, text, reference, flag in zip(keys, answers, references, found, strict=True)
                if text is not None and reference is not None
            }
        )
    lengths = {
        key: (None if one is None else len(one), None if other is None else len(other))
        for key, one, other in zip(keys, *texts, strict=True)
    }
    ours, theirs = qualities
    return judge(sides, ours, theirs, keys, tie_margin, lengths)
