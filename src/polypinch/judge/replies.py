"""From a judge's reply to its verdict, strictly: what is not a verdict is an error, never a tie."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema

from polypinch.files import canonical_json
from polypinch.judge.folder import Judge

CHOICES = ("first", "second", "tie")
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"^```(?:json)?\s*\n(.*)\n\s*```$", re.DOTALL)
_KEPT = 20_000  # characters of a reply


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
class Finding:
    """What a reply says: a winner or a grade, or an error."""

    winner: str | None = None
    grade: int | None = None
    reason: str | None = None
    probabilities: tuple[float, float, float] | None = None
    error: str | None = None


def read_reply(reply: Reply, judge: Judge) -> Finding:
    """Read a reply by its judge's kind and schema."""
    if judge.kind == "pairwise-token":
        return _read_token(reply, judge)
    if reply.finish_reason not in (None, "stop"):
        cut = reply.finish_reason == "length"
        return Finding(
            error="the reply was cut off at max_tokens" if cut else f"ended by {reply.finish_reason}"
        )
    if len(reply.text) > _KEPT:
        return Finding(error=f"the reply has {len(reply.text)} characters; a verdict has a few hundred")
    found = _object(reply.text, judge)
    if isinstance(found, Finding):
        return found
    reason = found.get("reason")
    reason = reason if isinstance(reason, str) else None
    return _whole(found["grade"], reason) if judge.kind == "grade" else _winner(found["winner"], reason)


def _object(text: str, judge: Judge) -> dict[str, Any] | Finding:
    """Return the object that a reply is, bare or in one fence, or why it is none."""
    bare = _THOUGHT.sub("", text).strip()
    fenced = _FENCE.match(bare)
    try:
        found = json.loads(fenced[1] if fenced else bare, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        return Finding(error="the reply is not one JSON object")
    wrong = jsonschema.exceptions.best_match(_validator(canonical_json(judge.schema)).iter_errors(found))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the reply"
        return Finding(error=f"{where} does not fit the schema ({wrong.validator})")
    return found if isinstance(found, dict) else Finding(error="the reply is not one JSON object")


@lru_cache(maxsize=16)
def _validator(schema: str) -> Any:
    declared = json.loads(schema)
    return jsonschema.validators.validator_for(declared)(declared)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _winner(winner: Any, reason: str | None) -> Finding:
    if winner not in CHOICES:
        return Finding(error="the winner is none of first, second and tie")
    return Finding(winner=winner, reason=reason)


def _whole(grade: Any, reason: str | None) -> Finding:
    if isinstance(grade, bool) or not isinstance(grade, int | float) or grade != int(grade):
        return Finding(error="the grade is no whole number")
    return Finding(grade=int(grade), reason=reason)


def _read_token(reply: Reply, judge: Judge) -> Finding:
    """Share the probability that the labels hold among them; the greatest share is the verdict."""
    labels = judge.settings.labels
    held = [
        sum(math.exp(value) for token, value in reply.likely if token.strip() == label)
        for label in (labels.first, labels.second, labels.tie)
    ]
    total = sum(held)
    if not 0 < total < math.inf:
        return Finding(error="none of the labels is among the likely tokens")
    first, second, tie = (one / total for one in held)
    most = max(first, second, tie)
    # Equal at the top cannot be told apart: neither is preferred.
    undecided = tie == most or first == second
    winner = "tie" if undecided else "first" if first == most else "second"
    reason = f"the labels hold {total:.3g} of the probability"
    return Finding(winner=winner, probabilities=(first, second, tie), reason=reason)
