"""Rows of published preference files, one converter per layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from polypinch.conversation import RowError
from polypinch.files import fingerprint
from polypinch.judge.labels.fields import (
    OF_TWO,
    Row,
    by_models,
    coded,
    conversation,
    is_empty,
    judge_name,
    near_whole,
    text,
    turn_of,
    turned,
)
from polypinch.judge.labels.votes import arena, chosen_rejected, comparia, is_arena, is_comparia, menlo
from polypinch.pool import with_context

Numbered = tuple[int, Row]

_ANNOTATOR = re.compile(r"annotator_?\d+")
_TEXTS = (
    ("one_text", "other_text"),
    ("response_1", "response_2"),
    ("output_1", "output_2"),
    ("answer_1", "answer_2"),
)
_CHOSEN = {
    "first": "first",
    "one": "first",
    "a": "first",
    "second": "second",
    "other": "second",
    "b": "second",
    "tie": "tie",
}


def pandalm(row: Row) -> Iterator[Row]:
    """Convert PandaLM's test set (Wang et al. 2023, arXiv 2306.05087): 1, 2, and 0 for a tie.

    Their verdict files (``idx`` and ``gpt_result`` or the like) are read as well, without texts; what they
    mark as garbage is missing.
    """
    item = str(row["idx"])
    if "response1" not in row:
        for name in (key for key in row if key.endswith("_result")):
            codes = {1: "first", 2: "second", 0: "tie", "tie": "tie", "garbage": None}
            yield {
                "item_id": item,
                "annotator": name.removesuffix("_result"),
                "winner": coded(row, name, codes),
            }
        return
    prompt = with_context(text(row, "instruction"), row.get("input"))
    shared = {
        "item_id": item,
        "cluster": fingerprint(prompt)[:16],
        "prompt": prompt,
        "one_text": text(row, "response1"),
        "other_text": text(row, "response2"),
    }
    for name in (key for key in row if _ANNOTATOR.fullmatch(key)):
        yield {
            **shared,
            "annotator": name,
            "winner": coded(row, name, {1: "first", 2: "second", 0: "tie"}),
        }


def autoj(row: Row) -> Iterator[Row]:
    """Convert Auto-J's pairwise test set (Li et al. 2023, arXiv 2310.05470): 0, 1, and 2 for a tie."""
    prompt = text(row, "prompt")
    yield {
        "cluster": fingerprint(prompt)[:16],
        "annotator": "label",
        "prompt": prompt,
        "one_text": text(row, "response 1"),
        "other_text": text(row, "response 2"),
        "winner": coded(row, "label", {0: "first", 1: "second", 2: "tie"}),
    }


def alpaca_preference(value: Any) -> str | None:
    """Return the winner of an AlpacaEval preference: 1 the first output, 2 the second, 0 or 1.5 a tie.

    A preference in between is a judge's probability and goes to the nearer side.

    Raises:
        RowError: it is no such number.
    """
    if is_empty(value):
        return None
    try:
        number = near_whole(float(value))
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if number == 0 or abs(number - 1.5) < 1e-6:
        return "tie"
    if not 1 <= number <= 2:
        raise RowError(f"preference is {value!r}, neither 0 nor between 1 and 2")
    return "first" if number < 1.5 else "second"


def alpaca_eval(row: Row) -> Iterator[Row]:
    """Convert AlpacaEval's annotations (Dubois et al. 2023, arXiv 2305.14387).

    The pair's name is made of its texts, in an order of their own, so that annotators who saw the two
    outputs the other way round, or judges in another file, are joined.
    """
    prompt = with_context(text(row, "instruction"), row.get("input"))
    # An output that is null was not given: the pair has no winner.
    one, other = (text(row, name) if row.get(name) is not None else "" for name in ("output_1", "output_2"))
    winner = alpaca_preference(row.get("preference"))
    ours = _exported(row)
    if ours is not None or one > other:  # of ours, the second is the arm
        one, other, winner = other, one, turned(winner)
    annotator = row.get("annotator", row.get("annotator_index"))
    yield {
        "item_id": ours or fingerprint([prompt, one, other])[:16],
        "cluster": fingerprint(prompt)[:16],
        "annotator": "annotator" if annotator is None else str(annotator),
        "prompt": prompt,
        "one_text": one,
        "other_text": other,
        "winner": winner,
    }


def _exported(row: Row) -> str | None:
    """Return the item of a row that was exported from our own verdicts, which say it; else ``None``."""
    kept = row.get("verdicts")
    item = kept.get("item_id") if isinstance(kept, dict) and "orders" in kept else None
    return None if item is None else str(item)


def fastchat_item(question: Any, turn: Any, models: Sequence[str]) -> str:
    """Return the name of a pair of FastChat answers; ``models`` sorted, the first one is the one answer."""
    return "/".join([str(question), str(turn), *models])


def mt_bench(row: Row) -> Iterator[Row]:
    """Convert MT-bench's human judgments (Zheng et al. 2023, arXiv 2306.05685): model_a, model_b or tie."""
    turn = turn_of(row)
    models = [text(row, "model_a"), text(row, "model_b")]
    winner = by_models(row, "winner", models, OF_TWO)
    asked, one = conversation(row, "conversation_a", turn)
    _, other = conversation(row, "conversation_b", turn)
    if models[0] > models[1]:
        models, one, other, winner = models[::-1], other, one, turned(winner)
    yield {
        "item_id": fastchat_item(row["question_id"], turn, models),
        "cluster": str(row["question_id"]),
        "annotator": judge_name(row),
        "prompt": asked,
        "one_text": one,
        "other_text": other,
        "winner": winner,
    }


def fastchat(row: Row) -> Iterator[Row]:
    """Convert FastChat's judgments of pairs: the same model in both orders wins, another is a tie.

    A judgment that failed in either order (``error``) is missing.
    """
    models = [text(row, "model_1"), text(row, "model_2")]
    codes = {"model_1": "first", "model_2": "second", "error": "error", "tie": "tie"}
    names = ["winner"] if "winner" in row else ["g1_winner", "g2_winner"]
    games = [by_models(row, name, models, codes) for name in names]
    winner = games[0] if len(set(games)) == 1 else "tie"
    if None in games or "error" in games:
        winner = None
    ours = _exported(row)
    if ours is None and models[0] > models[1]:
        models, winner = models[::-1], turned(winner)
    yield {
        "item_id": ours or fastchat_item(row["question_id"], turn_of(row), models),
        "cluster": str(row["question_id"]),
        "annotator": judge_name(row),
        "winner": winner,
    }


def plain(row: Row) -> Iterator[Row]:
    """Convert a plain table: item_id, winner (first, second, tie), annotator, and texts if there are any."""
    item = row.get("item_id", row.get("id"))
    if item in (None, ""):
        raise RowError("item_id is missing")
    one, other = next((pair for pair in _TEXTS if pair[0] in row), _TEXTS[0])
    yield {
        "item_id": str(item),
        "cluster": str(row.get("cluster") or item),
        "annotator": str(row.get("annotator") or row.get("judge") or "annotator"),
        "prompt": row.get("prompt", row.get("instruction")),
        "one_text": row.get(one),
        "other_text": row.get(other),
        "winner": coded(row, "winner", _CHOSEN),
    }


Layout = tuple[Callable[[Row], bool], Callable[[Row], Iterator[Row]], str | None]

LAYOUTS: dict[str, Layout] = {
    "pandalm": (
        lambda row: "idx" in row and ("response1" in row or any(key.endswith("_result") for key in row)),
        pandalm,
        "en",
    ),
    "autoj": (lambda row: {"response 1", "response 2", "label"} <= row.keys(), autoj, "en"),
    "alpaca-eval": (lambda row: {"output_1", "output_2", "preference"} <= row.keys(), alpaca_eval, None),
    "mt-bench": (lambda row: {"question_id", "model_a", "model_b"} <= row.keys(), mt_bench, None),
    "fastchat": (lambda row: {"question_id", "model_1", "model_2"} <= row.keys(), fastchat, None),
    "comparia": (is_comparia, comparia, "fr"),
    "arena": (is_arena, arena, None),
    "menlo": (lambda row: {"raw_prompt", "response_a", "response_b", "label_a"} <= row.keys(), menlo, None),
    "chosen-rejected": (lambda row: {"prompt", "chosen", "rejected"} <= row.keys(), chosen_rejected, None),
    "table": (lambda row: "winner" in row and ("item_id" in row or "id" in row), plain, None),
}
"""By name: whether a row is of this layout, its converter, and the language of the published file, if one."""
