"""Proving that a pool is what it says: complete, clean, in its languages, and without leaks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import Messages, instruction, prompt, uneven_systems
from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.pool.findings import Check, CheckReport
from polypinch.pool.near import CONTAINED, CONTAINMENT, JACCARD, HeldOut
from polypinch.pool.pool import Pool
from polypinch.pool.texts import (
    MIN_LETTERS,
    RUN,
    SURE,
    Identify,
    added_numbers,
    flaws,
    latin_runs,
    long_enough,
    missing_numbers,
    primary,
    prose,
    sentences,
)
from polypinch.progress import bar

SAMPLED_ITEMS, SAMPLED_HELDOUT = 5_000, 2_000
LISTED_RATIO, WRONG_RATIO, LEAST_CHARACTERS = 1.8, 3.5, 40

Row = dict[str, Any]


def check_pool(
    pool: Pool, *, parallel: bool | None = None, items: int = SAMPLED_ITEMS, heldout: int = SAMPLED_HELDOUT
) -> CheckReport:
    """Check a pool; what is wrong is a problem, what is merely odd is an outlier.

    Completeness, splits, duplicates, cleanliness and leaks are looked at in every row, batch by batch.
    What compares texts with the English, or identifies their language, looks at up to ``items`` items;
    responses are compared with the English ones only where a row's origin says ``translated``.

    Args:
        pool: what to check.
        parallel: whether every item must be in every language; unless told, whether half of them are
            in more than one.
        items: how many items are compared across languages, evenly spaced in the order of their ids.
        heldout: how many held-out instructions of a language training ones are compared with.

    Raises:
        PinchError: the pool has no rows, or an unknown language.
    """
    rows = pool.count()
    if not rows:
        raise PinchError(f"pool {pool.name} has no rows")
    tags = [language(tag).tag for tag in pool.languages()]
    ids = pool.select(["item_id", "language", "split"])
    distinct = pc.unique(ids["item_id"]).sort()
    checks = [_complete(ids, pool.languages(), parallel), _splits(ids)]
    del ids
    with bar("checking texts", rows) as shown:
        checks += _every_text(pool, shown.advance)
    checks.append(_near_duplicates(pool, heldout))
    step = -(-len(distinct) // items)
    chosen = distinct.take(pa.array(range(0, len(distinct), step)))
    sampled = pool.select(where=pc.field("item_id").isin(chosen)) if step > 1 else pool.select()
    note = f"every {step}th item: {len(chosen)} of {len(distinct)}" if step > 1 else None
    checks += _across(sampled, pool.languages(), note)
    return CheckReport(pool.name, pool.fingerprint, rows, len(distinct), tags, checks)


def _complete(ids: pa.Table, tags: list[str], parallel: bool | None) -> Check:
    check = Check("complete", "every item is in every language, once")
    pairs = ids.group_by(["item_id", "language"]).aggregate([([], "count_all")])
    for row in pairs.filter(pc.greater(pairs["count_all"], 1)).to_pylist():
        check.problem(row["item_id"], row["language"], f"{row['count_all']} rows of this item and language")
    per_item = pairs.group_by("item_id").aggregate([("language", "count")])
    check.examined = per_item.num_rows
    several = pc.sum(pc.greater(per_item["language_count"], 1)).as_py()
    if not (several * 2 >= per_item.num_rows and len(tags) > 1 if parallel is None else parallel):
        check.note = "items are not parallel across languages, so none is missing"
        return check
    short = per_item.filter(pc.less(per_item["language_count"], len(tags)))
    check.problems += short.num_rows
    where = pc.is_in(pairs["item_id"], value_set=short["item_id"].slice(0, 20).combine_chunks())
    have: dict[str, set[str]] = defaultdict(set)
    for row in pairs.filter(where).to_pylist():
        have[row["item_id"]].add(row["language"])
    check.problems -= len(have)
    for item in sorted(have):
        check.problem(item, None, f"missing in {', '.join(tag for tag in tags if tag not in have[item])}")
    return check


def _splits(ids: pa.Table) -> Check:
    check = Check("splits", "all translations of an item are in one split")
    splits = ids.group_by("item_id").aggregate([("split", "count_distinct")])
    check.examined = splits.num_rows
    for item in splits.filter(pc.greater(splits["split_count_distinct"], 1))["item_id"].to_pylist():
        check.problem(item, None, "held out in one language and trained on in another")
    return check


def _rows(pool: Pool, where: pc.Expression | None = None) -> Iterator[list[Row]]:
    for batch in pool.batches(["item_id", "language", "messages"], where):
        yield batch.to_pylist()


def _texts(messages: Messages) -> list[tuple[str, str]]:
    """Name the texts of a conversation: instruction, response, then turn 3 and on."""
    names = {0: "instruction", 1: "response"}
    spoken = [message for message in messages if message["role"] != "system"]
    return [
        (names.get(turn, f"turn {turn + 1}"), message["content"] or "") for turn, message in enumerate(spoken)
    ]


def _every_text(pool: Pool, advance: Any) -> list[Check]:
    clean = Check("clean", "no text is empty or padded, all are NFC, none has bidi control characters")
    latin = Check("script", f"no run of {RUN} or more Latin words in a language of another script")
    twice = Check("duplicates", "no two items have the same prompt in a language")
    hashes: dict[str, list[int]] = defaultdict(list)
    even = Check("system", "no language has system turns where another has none: it would mark the language")
    systems, seen = Counter[str](), Counter[str]()
    foreign = {tag: language(tag).script != "Latn" for tag in pool.languages()}
    for rows in _rows(pool):
        for row in rows:
            item, tag = row["item_id"], row["language"]
            if instruction(row["messages"]) == "":
                clean.problem(item, tag, "there is no instruction")
            for name, text in _texts(row["messages"]):
                for flaw in flaws(text):
                    clean.problem(item, tag, f"{name}: {flaw}")
                if foreign[tag]:
                    _latin(latin, item, tag, name, text)
            seen[tag] += 1
            systems[tag] += row["messages"][:1] != [] and row["messages"][0]["role"] == "system"
            hashes[tag].append(hash(_prompt(row["messages"])))
        clean.examined += len(rows)
        latin.examined += sum(foreign[row["language"]] for row in rows)
        advance(len(rows))
    twice.examined = even.examined = clean.examined
    uneven = uneven_systems(systems, seen)
    if uneven is not None:
        even.problem("(all)", None, uneven)
    for tag, found in hashes.items():
        values, counts = np.unique(np.array(found, dtype=np.int64), return_counts=True)
        repeated = set(values[counts > 1].tolist())
        if repeated:
            _name_duplicates(twice, pool, tag, repeated)
    if not any(foreign.values()):
        latin.note = "all its languages are written in Latin script"
    return [clean, latin, twice, even]


def _prompt(messages: Messages) -> str:
    return "\0".join(message["content"] for message in prompt(messages)).casefold()


def _latin(check: Check, item: str, tag: str, name: str, text: str) -> None:
    runs = latin_runs(text)
    if not runs:
        return
    longest = max(runs, key=lambda run: len(run.split()))
    found = check.problem if len(longest.split()) >= RUN else check.outlier
    found(item, tag, f"{name}: Latin letters: {longest[:60]!r}")


def _name_duplicates(check: Check, pool: Pool, tag: str, repeated: set[int]) -> None:
    first: dict[str, str] = {}
    for rows in _rows(pool, pc.field("language") == tag):
        for row in rows:
            asked = _prompt(row["messages"])
            if hash(asked) not in repeated:
                continue
            if asked in first:
                check.problem(row["item_id"], tag, f"the same prompt as item {first[asked]!r}")
            else:
                first[asked] = row["item_id"]


def _near_duplicates(pool: Pool, limit: int) -> Check:
    check = Check(
        "leaks",
        f"no training instruction is nearly a held-out one: character n-grams' Jaccard < {JACCARD} and"
        f" (of {CONTAINED} or more) containment < {CONTAINMENT}",
    )
    notes = []
    for tag in pool.languages():
        here = pc.field("language") == tag
        held: list[tuple[str, str]] = []
        total = 0
        for rows in _rows(pool, here & (pc.field("split") == "heldout")):
            total += len(rows)
            held += [(row["item_id"], instruction(row["messages"])) for row in rows[: limit - len(held)]]
        if not held:
            continue
        if total > limit:
            notes.append(f"{tag}: {limit} of {total} held-out rows")
        index = HeldOut([text for _, text in held], tag)
        for rows in _rows(pool, here & (pc.field("split") == "train")):
            check.examined += len(rows)
            for near in index.near([instruction(row["messages"]) for row in rows]):
                check.problem(
                    rows[near.trained]["item_id"],
                    tag,
                    f"nearly the held-out item {held[near.held][0]!r}"
                    f" (Jaccard {near.jaccard:.2f}, containment {near.containment:.2f})",
                )
    check.note = "; ".join(notes) or (None if check.examined else "nothing is held out beside training rows")
    return check


def _across(rows: pa.Table, tags: list[str], note: str | None) -> list[Check]:
    by_item: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    translated = set()
    for row in rows.select(["item_id", "language", "messages", "origin"]).to_pylist():
        by_item[row["item_id"]][row["language"]] = dict(_texts(row["messages"]))
        if row["origin"] == "translated":
            translated.add((row["item_id"], row["language"]))
    pairs = []
    for item, texts in by_item.items():
        for tag in texts.keys() - {"en"} if "en" in texts else ():
            # Who answers in a language of their own need not say what the English says.
            names = texts[tag] if (item, tag) in translated else {"instruction"}
            pairs.append(
                (item, tag, {name: texts[tag][name] for name in names if name in texts[tag]}, texts["en"])
            )
    pairs.sort(key=lambda pair: pair[:2])
    checks = [_identified(by_item, tags), _numbers(pairs), _lengths(pairs), _untranslated(pairs)]
    for check in checks[1:]:
        check.examined = len(pairs)
        check.note = None if pairs else "no item is in English and another language"
    for check in checks if note else ():
        check.note = note if check.note is None else f"{check.note}; {note}"
    return checks


def _identified(by_item: dict[str, dict[str, dict[str, str]]], tags: list[str]) -> Check:
    check = Check(
        "language",
        f"every text of {MIN_LETTERS} letters or more (10 in scripts of words) is identified as its tag says,"
        f" or the other guess is below {SURE}; no sentence of a translation is identified as English",
    )
    identify = Identify(tags)
    unknown = [tag for tag in tags if primary(tag) not in identify.candidates]
    if unknown:
        check.note = f"py3langid does not know {', '.join(unknown)}"
    if len(identify.candidates) < 2:
        check.note = "all of it is English, so there is nothing to tell apart"
        return check
    with bar("identifying languages", len(by_item)) as shown:
        for item, texts in by_item.items():
            for tag, named in texts.items():
                for name, full in named.items() if tag not in unknown else ():
                    text = prose(full)
                    if long_enough(text, tag):
                        check.examined += 1
                        _identify(check, identify, (item, tag, name), text)
            shown.advance()
    return check


def _identify(check: Check, identify: Identify, place: tuple[str, str, str], text: str) -> None:
    item, tag, name = place
    guess, probability = identify(text)
    if guess != primary(tag):
        found = check.problem if probability >= SURE else check.outlier
        found(item, tag, f"{name}: looks like {guess} ({probability:.2f}): {text[:60]!r}")
        return
    if guess == "en":
        return
    for sentence in sentences(text):
        if long_enough(sentence, "en"):
            guess, probability = identify(sentence)
            if guess == "en" and probability >= SURE:
                said = f"an English sentence ({probability:.2f}): {sentence[:60]!r}"
                check.problem(item, tag, f"{name}: {said}")
                return


Pair = tuple[str, str, dict[str, str], dict[str, str]]


def _numbers(pairs: list[Pair]) -> Check:
    check = Check(
        "numbers",
        "every number in digits of the English is in its translations, separators aside; one and two may be"
        " words, clock times of twelve hours, and large numbers in other units",
    )
    for item, tag, texts, english in pairs:
        for name in texts.keys() & english.keys():
            missing = missing_numbers(english[name], texts[name])
            added = added_numbers(english[name], texts[name])
            if missing:
                check.problem(item, tag, f"{name}: lacks {', '.join(missing)}")
            elif added:
                check.outlier(item, tag, f"{name}: has {', '.join(added)}, the English does not")
    return check


def _lengths(pairs: list[Pair]) -> Check:
    check = Check(
        "lengths",
        f"characters per English character are within {WRONG_RATIO} times the language's median, beyond"
        f" {LISTED_RATIO} listed (English of {LEAST_CHARACTERS} characters or more)",
    )
    ratios: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for item, tag, texts, english in pairs:
        for name in sorted(texts.keys() & english.keys()):
            if len(english[name]) >= LEAST_CHARACTERS:
                ratios[tag, name].append((item, len(texts[name]) / len(english[name])))
    for (tag, name), found in ratios.items():
        middle = median(ratio for _, ratio in found)
        for item, ratio in found:
            off = max(ratio / middle, middle / ratio) if ratio and middle else float("inf")
            if off > LISTED_RATIO:
                note = check.problem if off > WRONG_RATIO else check.outlier
                note(item, tag, f"{name}: {ratio:.2f} characters per English one, the median is {middle:.2f}")
    return check


def _untranslated(pairs: list[Pair]) -> Check:
    check = Check("translated", "no translation is the English text itself (short labels are listed)")
    for item, tag, texts, english in pairs:
        for name in sorted(texts.keys() & english.keys()):
            if texts[name] == english[name] and any(char.isalpha() for char in texts[name]):
                found = check.problem if len(texts[name].split()) > 2 else check.outlier
                found(item, tag, f"{name}: the same as the English: {texts[name][:60]!r}")
    return check
