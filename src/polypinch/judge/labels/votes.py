"""People's votes in many languages, as their data sets publish them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from polypinch.conversation import RowError
from polypinch.files import fingerprint
from polypinch.judge.labels.fields import (
    OF_TWO,
    Row,
    by_models,
    content,
    conversation,
    is_empty,
    judge_name,
    number,
    text,
)


def arena(row: Row) -> Iterator[Row]:
    """Convert a vote of Chatbot Arena's sets (Chiang et al. 2024, arXiv 2403.04132), in whatever language.

    Each row is a pair of its own. Conversations, of which all turns count, or a prompt and two responses,
    which may be JSON lists of turns; the winner in a field, or in three (``winner_model_a`` …).
    """
    models = [text(row, "model_a"), text(row, "model_b")]
    if "conversation_a" in row:
        asked, one = conversation(row, "conversation_a", None)
        _, other = conversation(row, "conversation_b", None)
    else:
        asked, one, other = (_turns(row, name) for name in ("prompt", "response_a", "response_b"))
    if "winner" in row:
        winner = by_models(row, "winner", models, OF_TWO)
    else:
        winner = _flagged(row, {"winner_model_a": "first", "winner_model_b": "second", "winner_tie": "tie"})
    name = next((row[key] for key in ("id", "question_id", "conv_id") if not is_empty(row.get(key))), None)
    yield {
        "item_id": fingerprint([asked, one, other])[:16] if name is None else str(name),
        "cluster": fingerprint(asked)[:16],
        "annotator": judge_name(row),
        "prompt": asked,
        "one_text": one,
        "other_text": other,
        "winner": winner,
    }


def comparia(row: Row) -> Iterator[Row]:
    """Convert a vote of compar:IA (France's Ministry of Culture): the model chosen, or both equal."""
    models = [text(row, "model_a_name"), text(row, "model_b_name")]
    asked, one = conversation(row, "conversation_a", None)
    _, other = conversation(row, "conversation_b", None)
    if row.get("both_equal") in (True, "true", "True", 1):
        winner: str | None = "tie"
    else:
        winner = by_models(row, "chosen_model_name", models, {})
    said = row.get("languages") or row.get("language")
    name = next((row[key] for key in ("conversation_pair_id", "id") if not is_empty(row.get(key))), None)
    yield {
        "item_id": fingerprint([asked, one, other])[:16] if name is None else str(name),
        "cluster": fingerprint(asked)[:16],
        "language": said[0] if isinstance(said, list) else said,
        "annotator": "visitors",
        "prompt": asked,
        "one_text": one,
        "other_text": other,
        "winner": winner,
    }


def chosen_rejected(row: Row) -> Iterator[Row]:
    """Convert a pair of M-RewardBench (arXiv 2410.15522) or MM-Eval (arXiv 2410.17578).

    Which answer comes first goes by their texts, so that the place tells nothing of the choice. Translations
    of an item share its ``id``, and are one cluster.
    """
    asked = _turns(row, "prompt")
    one, other, winner = _turns(row, "chosen"), _turns(row, "rejected"), "first"
    if one > other:
        one, other, winner = other, one, "second"
    name = row.get("id")
    yield {
        "item_id": fingerprint([None if is_empty(name) else str(name), asked, one, other])[:16],
        "cluster": fingerprint(asked)[:16] if is_empty(name) else str(name),
        "annotator": "label",
        "prompt": asked,
        "one_text": one,
        "other_text": other,
        "winner": winner,
    }


def menlo(row: Row) -> Iterator[Row]:
    """Convert MENLO (Whitehouse et al. 2025, arXiv 2509.26601): each answer rated; the higher rating wins."""
    asked, one, other = (text(row, name) for name in ("raw_prompt", "response_a", "response_b"))
    ours, theirs = (number(row, name) for name in ("label_a", "label_b"))
    yield {
        "item_id": fingerprint([str(row.get("prompt_id")), asked, one, other])[:16],
        "cluster": str(row.get("prompt_id") or fingerprint(asked)[:16]),
        "language": row.get("lang_code"),
        "annotator": "label",
        "prompt": asked,
        "one_text": one,
        "other_text": other,
        "winner": higher(ours, theirs),
    }


def higher(one: float | None, other: float | None) -> str | None:
    """Return which of two ratings wins; ``None`` where one is missing."""
    if one is None or other is None:
        return None
    if one == other:
        return "tie"
    return "first" if one > other else "second"


def _turns(row: Row, name: str) -> str:
    """Return a field's text: a text, a list of turns or messages, or such a list as JSON."""
    value = row.get(name)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return text(row, name)
        if not isinstance(value, list) or not all(isinstance(turn, str | dict | None) for turn in value):
            return text(row, name)
    if isinstance(value, list):
        return "\n\n".join(content(turn, name) for turn in value if turn is not None)
    return text(row, name)


def _flagged(row: Row, flags: dict[str, str]) -> str | None:
    raised = [winner for name, winner in flags.items() if number(row, name)]
    if len(raised) > 1:
        raise RowError(f"{' and '.join(flags)}: more than one of them is set")
    return raised[0] if raised else None


def is_comparia(row: Row) -> bool:
    """Tell whether a row is a vote of compar:IA."""
    return {
        "model_a_name",
        "model_b_name",
        "chosen_model_name",
        "conversation_a",
        "conversation_b",
    } <= row.keys()


def is_arena(row: Row) -> bool:
    """Tell whether a row is a vote of an arena."""
    shows = {"conversation_a", "conversation_b"} <= row.keys() or {
        "prompt",
        "response_a",
        "response_b",
    } <= row.keys()
    return {"model_a", "model_b"} <= row.keys() and shows and ("winner" in row or "winner_model_a" in row)
