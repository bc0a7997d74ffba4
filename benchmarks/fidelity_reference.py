"""Compare line and word pass rates with the Language Confusion Benchmark's own, as Markdown.

python benchmarks/fidelity_reference.py FOLDER

FOLDER holds outputs_gpt-4-turbo.csv and outputs_llama-2-instruct.csv (published completions), words (the
benchmark's English list) and REFERENCE.md (rates by the benchmark's own script).
"""

from __future__ import annotations

import re
import string
import sys
from pathlib import Path

import pyarrow as pa

from polypinch.fidelity import fidelity_table, read_answers, summarise, wrong_words
from polypinch.fidelity.cleaning import clean
from polypinch.fidelity.table import judged_lines

MODELS = ("gpt-4-turbo", "llama-2-instruct")
TASKS = ("monolingual", "crosslingual")
LISTED = ("ar", "hi", "ja", "ko", "ru", "zh")  # where the benchmark has a word pass rate
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)

Reference = dict[tuple[str, str], dict[str, float]]


def read_reference(path: Path) -> Reference:
    """Return {(model, task): {language or "all": percent}}."""
    found: Reference = {}
    for model, task, rates in re.findall(r"- \*\*(\S+), (\S+)\*\*: (.+)", path.read_text(encoding="utf-8")):
        found[model, task] = {tag: float(rate) for tag, rate in (pair.split() for pair in rates.split(", "))}
    return found


def judge(answers: pa.Table, candidates: list[str] | None, as_published: bool) -> pa.Table:
    judged = fidelity_table(
        answers["text"].to_pylist(), answers["language"].to_pylist(), candidates, as_published=as_published
    )
    return judged.append_column("language", answers["language"]).append_column("source", answers["source"])


def percent(judged: pa.Table) -> dict[str, float]:
    return {row.language: 100 * row.line_pass.value for row in summarise(judged, "source")}


def line_tables(folder: Path, reference: Reference) -> None:
    for model in MODELS:
        for task in TASKS:
            answers = read_answers(
                folder / f"outputs_{model}.csv", "completion", others=["source"], where=[("task", task)]
            )
            closed = sorted({*answers["language"].to_pylist(), "en"})
            theirs = reference[model, task]
            published = percent(judge(answers, closed, as_published=True))
            default = percent(judge(answers, closed, as_published=False))
            free = percent(judge(answers, None, as_published=False))
            print(f"\n**{model}, {task}**\n")
            print(
                "| language | theirs | as published | difference | default | difference | open | difference |"
            )
            print("|---|---|---|---|---|---|---|---|")
            for tag, rate in theirs.items():
                cells = [f"{own[tag]:.1f} | {own[tag] - rate:+.1f}" for own in (published, default, free)]
                print(f"| {tag} | {rate:.1f} | {' | '.join(cells)} |")


def holds_listed_word(line: str, tag: str, listed: set[str]) -> bool:
    plain = line.translate(NO_PUNCTUATION)
    tokens = re.findall("[A-Za-z0-9]+", plain) if tag in ("ja", "zh") else plain.split()
    return not listed.isdisjoint(tokens)


def word_table(folder: Path) -> None:
    words = (folder / "words").read_text(encoding="utf-8").split("\n")
    listed = {word for word in map(str.strip, words) if word.islower() and len(word) > 3}
    print("\n**Words: our rule against the benchmark's English list, on the answers that pass by lines**\n")
    print("| model, task | answers | pass by list | pass by rule | same | rule alone | list alone |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for task in TASKS:
            answers = read_answers(
                folder / f"outputs_{model}.csv", "completion", others=["source"], where=[("task", task)]
            )
            closed = sorted({*answers["language"].to_pylist(), "en"})
            judged = judge(answers, closed, as_published=False)
            pairs = []
            rows = zip(
                answers["text"].to_pylist(),
                judged["language"].to_pylist(),
                judged["line_pass"].to_pylist(),
                strict=True,
            )
            for text, tag, passed in rows:
                if passed and tag in LISTED:
                    lines = judged_lines(clean(text))
                    pairs.append(
                        (
                            any(holds_listed_word(line, tag, listed) for line in lines),
                            any(wrong_words(line) for line in lines),
                        )
                    )
            n = len(pairs)
            rule_alone, list_alone = pairs.count((False, True)), pairs.count((True, False))
            shares = [sum(not found for found in column) for column in zip(*pairs, strict=True)]
            cells = [f"{100 * count / n:.1f}" for count in (*shares, n - rule_alone - list_alone)]
            print(f"| {model}, {task} | {n} | {' | '.join(cells)} | {rule_alone} | {list_alone} |")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    needed = ["REFERENCE.md", "words", *(f"outputs_{model}.csv" for model in MODELS)]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        print(f"skipped: {folder} lacks {', '.join(missing)}")
        return
    line_tables(folder, read_reference(folder / "REFERENCE.md"))
    word_table(folder)


if __name__ == "__main__":
    main()
