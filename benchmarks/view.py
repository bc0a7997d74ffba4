"""The explorer on a million answers: how long its index takes, and each filter with its first page."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from polypinch.judge.protocol import ORDERS
from polypinch.study import Compared, Graph, Kind, Stage, Store, Tuned
from polypinch.study.artifacts import ANSWERS, FIDELITY, VERDICTS

TAGS = (
    "en",
    "es",
    "fi",
    "hi",
    "ru",
    "ar",
    "cs",
    "et",
    "he",
    "it",
    "sw",
    "zh",
    "de",
    "ja",
    "pt",
    "uk",
    "pl",
    "tr",
    "vi",
    "ko",
)
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyzäöабвгдежзиклмнאבגדהוज़कखगابتثج"))
RAREST = "a phrase that one answer in ten thousand has"


def run(answers: int = 1_000_000, runs: int = 20, repeats: int = 5) -> dict[str, Any]:
    """Measure the explorer's filters.

    Args:
        answers: in all.
        runs: that they are divided among; all but the first are compared with it, in both orders.
        repeats: of each filter; the median counts.
    """
    from polypinch.web.view import AnswerIndex, Filters, Mark

    with tempfile.TemporaryDirectory() as folder:
        graph, store = _study(Path(folder), answers // runs, runs)
        started = time.perf_counter()
        index = AnswerIndex(graph, store)
        index.refresh()
        indexed = time.perf_counter() - started
        asked = {
            "none": Filters(),
            "language": Filters(languages=("fi",)),
            "arm, language": Filters(arms=("arm-7",), languages=("fi", "he")),
            "wrong language": Filters(marks=(Mark.WRONG_LANGUAGE,)),
            "lost, wrong language": Filters(marks=(Mark.LOST, Mark.WRONG_LANGUAGE)),
            "flipped, cut off": Filters(marks=(Mark.FLIPPED, Mark.CUT_OFF)),
            "judge failed": Filters(marks=(Mark.JUDGE_FAILED,)),
            "text, rare": Filters(text=RAREST.upper()),
            "text, language, lost": Filters(text=RAREST[:8], languages=("ru",), marks=(Mark.LOST,)),
            "last page": Filters(page=answers // 50),
            "item": Filters(item="h17"),
        }
        lines = [_timed(name, partial(_ask, index, filters), repeats) for name, filters in asked.items()]
        lines.append(_timed("one prompt, all runs", lambda: len(index.of_prompt("h17", "fi")), repeats))
        index.close()
    return {"benchmark": "view", "answers": answers, "runs": runs, "index_s": indexed, "filters": lines}


def _ask(index: Any, filters: Any) -> int:
    index._places.clear()  # what a first look takes; further pages of the same view are kept
    index.answers(filters)
    return int(index.count(filters))


def _timed(name: str, ask: Callable[[], int], repeats: int) -> dict[str, Any]:
    taken: list[float] = []
    worked: list[float] = []
    for _ in range(repeats):
        started, busy = time.perf_counter(), time.process_time()
        count = ask()
        taken.append(1000 * (time.perf_counter() - started))
        worked.append(1000 * (time.process_time() - busy))
    named = {"filter": name, "answers": count, "ms": statistics.median(taken), "slowest_ms": max(taken)}
    return {**named, "cpu_ms": statistics.median(worked)}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return the lines of the table."""
    lines = [("view", f"index of {result['answers']:,} answers", f"{result['index_s']:.1f} s", "")]
    for one in result["filters"]:
        lines.append(
            (
                "view",
                f"{one['filter']}: {one['answers']:,}",
                f"{one['ms']:.0f} ms ({one['cpu_ms']:.0f} ms of CPU)",
                "≤ 300 ms",
            )
        )
    return lines


def _study(folder: Path, each: int, runs: int) -> tuple[Graph, Store]:
    """Make a store of answers of random words, 30 on average, with their languages and verdicts."""
    random = np.random.default_rng(0)
    words = np.array(["".join(random.choice(LETTERS, random.integers(2, 10))) for _ in range(5000)])
    store = Store(folder)
    items = [f"h{number // len(TAGS)}" for number in range(each)]
    tags = [TAGS[number % len(TAGS)] for number in range(each)]
    keys = {"item_id": items, "language": tags}
    made: list[Tuned] = []
    compared = []

    def stage(kind: Kind, name: str, needs: tuple[Stage, ...], work: Callable[[Path], None]) -> Stage:
        one = Stage.of(kind, name, {"name": name}, needs, work, {"model": "base", "arm": name, "seed": 1})
        store.make(one)
        return one

    for number in range(runs):
        name = f"arm-{number}"
        texts = _texts(random, words, each)
        answers = stage(
            Kind.ANSWERS, name, (), lambda d, t=texts: ANSWERS.write(d, _answers(keys, t, random))
        )
        fidelity = stage(
            Kind.FIDELITY, name, (answers,), lambda d: FIDELITY.write(d, _fidelity(keys, random))
        )
        made.append(Tuned("base", name, 1, TAGS, None, None, None, answers, fidelity))
        if number:
            verdicts = stage(
                Kind.VERDICTS,
                name,
                (answers,),
                lambda d, n=name: VERDICTS.write(d, _verdicts(keys, n, random)),
            )
            compared.append(Compared(made[-1], "arm-0", (made[0],), verdicts))
    return Graph(tuple(made), tuple(compared)), store


def _texts(random: np.random.Generator, words: Any, each: int) -> list[str]:
    lengths = random.integers(10, 50, each)
    drawn = words[random.integers(0, len(words), int(lengths.sum()))]
    ends = np.cumsum(lengths)
    texts = [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
    for place in range(0, each, 10_000):
        texts[place] += f" {RAREST}."
    return texts


def _answers(keys: dict[str, list[str]], texts: list[str], random: np.random.Generator) -> pa.Table:
    each = len(texts)
    columns = {
        **keys,
        "sample": pa.array(np.zeros(each, np.int32)),
        "text": texts,
        "thought": [""] * each,
        "finish_reason": np.where(random.random(each) < 0.05, "length", "stop").tolist(),
        "prompt_tokens": pa.array(np.full(each, 30, np.int32)),
        "completion_tokens": pa.array(np.full(each, 60, np.int32)),
        "engine": ["made"] * each,
        "sampling": ["{}"] * each,
    }
    return pa.table(columns, schema=ANSWERS.schema)


def _fidelity(keys: dict[str, list[str]], random: np.random.Generator) -> pa.Table:
    each = len(keys["item_id"])
    own = random.random(each)
    told = [None if value < 0.03 else bool(value > 0.15) for value in own]
    languages = [
        None if flag is None else tag if flag else "en"
        for flag, tag in zip(told, keys["language"], strict=True)
    ]
    columns = {
        "response_language": languages,
        "confidence": own,
        "in_language": told,
        "line_pass": told,
        "word_pass": [None] * each,
        **keys,
        "sample": pa.array(np.zeros(each, np.int32)),
    }
    return pa.table(columns, schema=FIDELITY.schema)


def _verdicts(keys: dict[str, list[str]], arm: str, random: np.random.Generator) -> pa.Table:
    each = len(keys["item_id"])
    choices = np.array(["first", "second", "tie", ""])
    parts = []
    for order in ORDERS:
        drawn = random.choice(choices, each, p=[0.5, 0.38, 0.1, 0.02]).tolist()
        columns: dict[str, Any] = {
            name: pa.nulls(each, VERDICTS.schema.field(name).type) for name in VERDICTS.schema.names
        }
        columns |= {
            "arm": [arm] * each,
            "against": ["arm-0"] * each,
            "seed": [1] * each,
            **keys,
            "order": [order] * each,
            "judge": ["made"] * each,
            "winner": [winner or None for winner in drawn],
            "error": [None if winner else "no verdict" for winner in drawn],
            "raw": ['{"winner": "A", "reason": "It is clearer, and it is in the language asked for."}']
            * each,
        }
        parts.append(pa.table(columns, schema=VERDICTS.schema))
    return pa.concat_tables(parts)
