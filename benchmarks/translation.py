"""Which errors of a translator the checks catch, and how many good translations they refuse."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

from benchmarks.planted import ERRORS, Row, can_be_cut, drawn, has_number, with_code, with_list
from polypinch.fidelity import Identifier, scripts_of
from polypinch.pool import open_pool
from polypinch.translate import check_turns, usual_lengths


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    rows = parser.parse_args(arguments).rows
    texts = {
        (row["item_id"], row["language"]): tuple(turn["content"] for turn in row["messages"])
        for row in open_pool("pinch12").select(["item_id", "language", "messages"]).to_pylist()
    }
    tags = sorted({tag for _, tag in texts})
    keys = [key for key in texts if key[1] != "en"]
    identifier, usual = Identifier(tags), usual_lengths(tags)

    def doubts(row: Row, tag: str) -> list[str]:
        found = check_turns(*row, "en", tag, identifier=identifier, usual=usual)
        return [str(doubt.check) for doubt in found]

    refused: Counter[str] = Counter()
    for item, tag in keys:
        refused[tag] += bool(doubts((texts[item, "en"], texts[item, tag]), tag))
    print(
        f"good rows refused: {sum(refused.values())} of {len(keys)} ({sum(refused.values()) / len(keys):.2%})"
    )
    for tag in tags:
        if tag != "en":
            print(f"  {tag}: {refused[tag]} of {sum(key[1] == tag for key in keys)}")

    able = {"lost number": has_number, "cut": can_be_cut}
    caught: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for error, make in ERRORS.items():
        planted = 0
        for item, tag in drawn(len(keys), keys):
            source, target = row = (texts[item, "en"], texts[item, tag])
            if planted == rows or not able.get(error, lambda _: True)(row):
                continue
            if error in ("lost code", "markup lost"):
                source, target = with_list(with_code(row))
            _count(error, doubts((source, make(target, source)), tag), caught, totals, missed)
            planted += 1
    for error, same in (("wrong language", True), ("another script", False)):
        planted = 0
        for item, tag in drawn(len(keys), keys, seed=1):
            others = [
                other
                for other in tags
                if other not in (tag, "en") and bool(scripts_of(other) & scripts_of(tag)) == same
            ]
            if others and planted < rows:
                other = others[planted % len(others)]
                _count(error, doubts((texts[item, "en"], texts[item, other]), tag), caught, totals, missed)
                planted += 1
    print("\n| error | planted | caught | by |\n|---|---|---|---|")
    for error, total in totals.items():
        by = ", ".join(f"{name} {count}" for name, count in caught[error].most_common(4))
        print(f"| {error} | {total} | {total - missed[error]} | {by} |")


def _count(
    error: str,
    checks: list[str],
    caught: dict[str, Counter[str]],
    totals: Counter[str],
    missed: Counter[str],
) -> None:
    totals[error] += 1
    missed[error] += not checks
    caught[error].update(set(checks))


if __name__ == "__main__":
    main()
