"""From a judge's reply to its verdict, strictly: what is not a verdict is an error, never a tie."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import jsonschema

from polypinch.server_replies import ending

CHOICES = ("first", "second", "tie")
_THOUGHT_ENDS = (
    "</think>",
    "</thinking>",
    "</thought>",
    "</reasoning>",
    "</seed:think>",
    "[/THINK]",
    "<|end_of_thought|>",
    "<|end_thinking|>",
)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_LARGEST_GRADE = 1_000_000
_KEPT = 20_000  # characters of a reply
_validators: dict[str, Any] = {}  # by the judge's version


@dataclass(frozen=True)
class Reply:
    """What a model sent back.

    Attributes:
        text: the reply.
        finish_reason: ``stop``, ``length`` (cut off) or a server's own word.
        prompt_tokens: as the server counts them, or ``None``.
        completion_tokens: the same.
        likely: tokens that could have stood first, with their natural log-probabilities.
        seconds: that it took, waits before it aside.
        attempts: requests sent for it.
    """

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    likely: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    attempts: int = 1

    @property
    def kept(self) -> str:
        """The reply, or the beginning of one that is far too long."""
        return self.text[:_KEPT]


@dataclass(frozen=True)
class Reading:
    """What a reply says: a winner or a grade, or an error."""

    winner: str | None = None
    grade: int | None = None
    reason: str | None = None
    probabilities: tuple[float, float, float] | None = None
    error: str | None = None


def read_winner(reply: Reply, version: str, schema: Any) -> Reading:
    """Read a reply that names a winner, by its judge's schema; ``version`` is the judge's."""
    answer = _object(reply, version, schema)
    if isinstance(answer, Reading):
        return answer
    if answer["winner"] not in CHOICES:
        return Reading(error="the winner is none of first, second and tie")
    return Reading(winner=answer["winner"], reason=_reason(answer))


def read_grade(reply: Reply, version: str, schema: Any) -> Reading:
    """Read a reply that grades, by its judge's schema; ``version`` is the judge's."""
    answer = _object(reply, version, schema)
    if isinstance(answer, Reading):
        return answer
    grade = answer["grade"]
    is_number = isinstance(grade, int | float) and not isinstance(grade, bool) and math.isfinite(grade)
    if not is_number or grade != int(grade) or abs(grade) > _LARGEST_GRADE:
        return Reading(error="the grade is no whole number")
    return Reading(grade=int(grade), reason=_reason(answer))


def read_label(reply: Reply, labels: tuple[str, str, str]) -> Reading:
    """Share the probability that the labels hold among them; the greatest share is the verdict.

    Args:
        reply: with the tokens that could have stood first.
        labels: for the first answer, the second, and a tie.
    """
    held = [
        sum(math.exp(min(value, 0.0)) for token, value in reply.likely if token.strip() == label)
        for label in labels
    ]
    total = sum(held)
    if not 0 < total < math.inf:
        return Reading(error="none of the labels is among the likely tokens")
    first, second, tie = (share / total for share in held)
    most = max(first, second, tie)
    # Equal at the top cannot be told apart: neither is preferred.
    undecided = tie == most or first == second
    winner = "tie" if undecided else "first" if first == most else "second"
    reason = f"the labels hold {total:.3g} of the probability"
    return Reading(winner=winner, probabilities=(first, second, tie), reason=reason)


def _reason(answer: dict[str, Any]) -> str | None:
    reason = answer.get("reason")
    return reason if isinstance(reason, str) else None


def _object(reply: Reply, version: str, schema: Any) -> dict[str, Any] | Reading:
    """Return the object that a reply is, bare or in one fence after its thoughts, or why it is none."""
    end = ending(reply.finish_reason)
    if end not in (None, "stop"):
        return Reading(error="the reply was cut off at max_tokens" if end == "length" else f"ended by {end}")
    bare = _unfenced(without_thoughts(reply.text))
    if len(bare) > _KEPT:
        return Reading(error=f"the reply has {len(bare)} characters; a verdict has a few hundred")
    try:
        answer = json.loads(bare, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        return Reading(error="the reply is not one JSON object")
    validator = _validators.get(version)
    if validator is None:  # made once: it takes longer than a reply
        validator = _validators[version] = jsonschema.validators.validator_for(schema)(schema)
    wrong = jsonschema.exceptions.best_match(validator.iter_errors(answer))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the reply"
        return Reading(error=f"{where} does not fit the schema ({wrong.validator})")
    return answer if isinstance(answer, dict) else Reading(error="the reply is not one JSON object")


def without_thoughts(text: str) -> str:
    """Return a reply without the thoughts before it: all up to the last tag that ends some, and channels.

    A template may have written the tag that begins them, so that only the one that ends them is in the reply.
    """
    text = text.strip()
    if text.startswith(("{", "```")):  # a verdict may quote an answer that holds such a tag
        return text
    _, final, after = text.rpartition(_FINAL_CHANNEL)
    if final:
        text = after.removesuffix("<|return|>").removesuffix("<|end|>")
    end = max((text.rfind(tag) + len(tag) for tag in _THOUGHT_ENDS if tag in text), default=0)
    return text[end:].strip()


def _unfenced(text: str) -> str:
    """Return what stands in the one code fence that a text is, or the text."""
    if not (text.startswith("```") and text.endswith("```") and len(text) > 6):
        return text
    first, line_end, inside = text[3:-3].partition("\n")
    return inside.strip() if line_end and first.strip().casefold() in ("", "json") else text


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
