"""A translating server: it knows the built-in pool's own translations, and errs as it is told to."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.judge_stub import Stub, completion
from benchmarks.planted import ERRORS
from polypinch.languages import language
from polypinch.pool import open_pool

_TURN = re.compile(r"\[turn (\d+), \w+, (\w{16})\]\n(.*?)\n\[end of turn \1, \2\]", re.DOTALL)
_TARGET = re.compile(r" from \w+ into ([^.]+)\.")
_CASE = re.compile(r"\n\nNo\. (\d+)\Z")


def numbered(text: str, case: int) -> str:
    """Return a text with a number, by which the server tells it from others of the same words."""
    return f"{text}\n\nNo. {case}"


class TranslatingStub(Stub):
    """Answers with pinch12's translations; a share of its replies holds one of the planted errors.

    Attributes:
        wrong: replies that hold an error.
        sent: translations by case and language, of sources that :func:`numbered` made.
    """

    def __init__(self, errs: float = 0.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.errs, self.wrong = errs, 0
        self.sent: Counter[tuple[int, str]] = Counter()
        self._chance = random.Random(0)
        rows = open_pool("pinch12").select(["item_id", "language", "messages"]).to_pylist()
        texts = {
            (row["item_id"], row["language"]): [turn["content"] for turn in row["messages"]] for row in rows
        }
        self._known = {
            (language(tag).name, texts[item, "en"][0]): tuple(turns) for (item, tag), turns in texts.items()
        }

    def reply(self, prompt: str) -> bytes:
        """Translate what is between the marks."""
        target = _TARGET.search(prompt)
        assert target is not None
        source = tuple(found[2] for found in _TURN.findall(prompt))
        case = _CASE.search(source[0])
        turns: Any = self._known[target[1], _CASE.sub("", source[0])]
        if case is not None:
            turns = (numbered(turns[0], int(case[1])), *turns[1:])
            self.sent[int(case[1]), target[1]] += 1
        errors: list[Callable[..., Any]] = [
            ERRORS[name] for name in ("copied", "empty", "preface", "doubled", "refusal")
        ]
        if self._chance.random() < self.errs:
            turns = self._chance.choice(errors)(turns, source)
            self.wrong += 1
        self.counts["good"] += 1
        return completion(json.dumps({"turns": list(turns)}, ensure_ascii=False), prompt, **self.more)
