"""From a plan to a mixture: its rows, and a manifest of requested against delivered."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.conversation import Messages
from polypinch.errors import PinchError
from polypinch.mix.counts import Counter, TokenCount
from polypinch.mix.leakage import check_heldout
from polypinch.mix.plan import MixPlan, Unit, amount_text
from polypinch.mix.select import Enough, available, first_items, partition, take
from polypinch.pool import MESSAGES, Found, Pool
from polypinch.seeded import ranks

MIXTURE_FILE, MANIFEST_FILE = "mixture.parquet", "manifest.json"

MIXTURE_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("language", pa.string()),
        ("source", pa.string()),
        ("tokens", pa.int32()),
        ("supervised_tokens", pa.int32()),
        ("truncated", pa.bool_()),
        ("messages", MESSAGES),
    ]
)
"""One row per position; the counts are null where no tokenizer was given."""

_FIRST_LOOK = 1024


@dataclass(frozen=True)
class Mixture:
    """A mixture made.

    Attributes:
        table: the rows, in :data:`MIXTURE_SCHEMA`.
        manifest: the plan, the pool, and per language requested against delivered.
    """

    table: pa.Table
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Quota:
    """One language's part of a dose, resolved: an amount in a unit, each row so many times."""

    unit: Unit
    amount: float
    times: int = 1


def quotas(plan: MixPlan) -> dict[str, Quota]:
    """Resolve the doses into one quota per language.

    A total that does not divide evenly gives its remainder, one example each, to the first languages
    of the seeded order, so a larger total never takes from any language.
    """
    result: dict[str, Quota] = {}
    for dose in plan.doses:
        unit, total = dose.quota(plan.budget)
        order = ranks(pa.array(dose.languages), plan.seed, "remainder").argsort(kind="stable")
        for position, index in enumerate(order.tolist()):
            share = total / len(dose.languages)
            if unit == "examples":
                whole, remainder = divmod(int(total), len(dose.languages))
                share = float(whole + (position < remainder))
            result[dose.languages[index]] = Quota(unit, share, dose.times)
    return {tag: result[tag] for tag in sorted(result)}


class _Rows:
    """Fetches rows and counts their tokens once, in few scans of the pool."""

    def __init__(self, pool: Pool, counter: Counter | None) -> None:
        self._pool, self._counter = pool, counter
        self._found: list[Found] = []
        self._rows: dict[tuple[str, str], tuple[str, Messages]] = {}
        self._counts: dict[tuple[str, str], TokenCount] = {}

    def find(self, items: pa.Array, languages: Sequence[str]) -> list[Found]:
        """Find the rows of items in languages; those of them that are fetched later are found already."""
        self._found = self._pool.find(items, languages)
        return self._found

    def fetch(self, wanted: Sequence[tuple[str, str]]) -> None:
        new = {key for key in wanted if key not in self._rows}
        if not new:
            return
        if new.difference(*(found.pairs() for found in self._found)):
            items = pa.array(sorted({item for item, _ in new}), pa.string())
            self.find(items, sorted({tag for _, tag in new}))
        chosen = [part for found in self._found if len((part := found.only(new)).positions)]
        tables = self._pool.unpack(chosen, ["source", "messages"])
        for part, table in zip(chosen, tables, strict=True):
            for key, row in zip(part.pairs(), table.to_pylist(), strict=True):
                self._rows.setdefault(key, (row["source"], row["messages"]))

    def row(self, key: tuple[str, str]) -> tuple[str, Messages]:
        self.fetch([key])
        return self._rows[key]

    def counts(self, keys: Sequence[tuple[str, str]]) -> list[TokenCount]:
        if self._counter is None:
            raise PinchError(
                "the plan counts in tokens, but no tokenizer is given", fix="name a model (--model)"
            )
        self.fetch(keys)
        new = [key for key in dict.fromkeys(keys) if key not in self._counts]
        counted = iter(self._counter([self._rows[key][1] for key in new]))
        for key in new:
            try:
                self._counts[key] = next(counted)
            except PinchError as error:
                raise PinchError(f"item {key[0]!r} in {key[1]!r}: {error.message}", fix=error.fix) from error
        return [self._counts[key] for key in keys]

    def sizes(self, keys: Sequence[tuple[str, str]], unit: Unit) -> list[int]:
        if unit == "examples":
            return [1] * len(keys)
        return [int(getattr(count, unit)) for count in self.counts(keys)]


def make_mixture(
    plan: MixPlan, pool: Pool, counter: Counter | None = None, heldout: Sequence[Pool] = ()
) -> Mixture:
    """Select a plan's rows from a pool.

    Args:
        plan: what to select.
        pool: where from.
        counter: counts tokens; without it, a plan in tokens is refused and the table's counts are null.
        heldout: further pools that must not be trained on; the pool's own held-out split always counts.

    Returns:
        The mixture; the same for the same plan whatever the order of the pool's rows.

    Raises:
        PinchError: the plan is impossible, or trains on held-out items; with the numbers.
    """
    for tag in (plan.base, *quotas(plan)):
        if tag not in pool.split_languages().get("train", {}):
            raise PinchError(
                f"pool {pool.name} has no training rows in {tag!r}",
                fix=f"it has {', '.join(pool.split_languages().get('train', {}))}",
            )
    rows = _Rows(pool, counter)
    base_items = _base_items(plan, pool, rows)
    doses = _dose_items(plan, pool, rows, base_items)
    keys = _place(plan, pool, rows, base_items, doses)
    if plan.control:
        keys = _in_base(plan, pool, rows, keys)
    table = _table(keys, rows, counter)
    check_heldout(plan, pool, table, heldout)
    manifest = _manifest(plan, pool, table)
    _check_tolerance(plan, manifest)
    return Mixture(table, manifest)


def _fill(plan: MixPlan, unit: Unit, amount: float, language: str, rows: _Rows) -> Enough:
    """Return a rule that tells how many of a language's candidates fill an amount.

    In tokens the nearest prefix fills it: the row that crosses the amount stays if that brings the sum
    closer.
    """

    def enough(items: list[str]) -> int | None:
        if unit == "examples":
            return int(amount) if len(items) >= amount else None
        total, start = 0, 0
        while start < len(items):
            # Each look reads the pool once more: looking twice as far each time, there are few.
            chunk = items[start : 2 * start + 256]
            for offset, size in enumerate(rows.sizes([(item, language) for item in chunk], unit)):
                if total + size >= amount:
                    closer = total + size - amount < amount - total
                    return start + offset + int(closer)
                total += size
            start += len(chunk)
        return None

    return enough


def _each(items: list[str], times: int) -> list[str]:
    return items if times == 1 else [item for item in items for _ in range(times)]


def _of_distinct(fill: Enough, times: int) -> Enough:
    """Return a rule that tells how many candidates fill an amount if each stands so many times."""

    def enough(items: list[str]) -> int | None:
        needed = fill(_each(items, times))
        return None if needed is None else -(-needed // times)

    return enough


def _repeat(items: list[str], times: int) -> list[str]:
    return [item for _ in range(times) for item in items]


def _base_items(plan: MixPlan, pool: Pool, rows: _Rows) -> list[str]:
    """Return the items that fill the budget in the base alone, in order."""
    unit, amount = plan.budget.unit, float(plan.budget.amount)
    limit = plan.budget.amount if unit == "examples" else _FIRST_LOOK
    while True:
        found: list[str] = first_items(pool.base(plan.base), plan.base, plan.seed, "base", limit).to_pylist()
        candidates = _repeat(found, plan.max_repeats)
        needed = _fill(plan, unit, amount, plan.base, rows)(candidates)
        if needed is not None:
            return candidates[:needed]
        if len(found) < limit:
            have = sum(rows.sizes([(item, plan.base) for item in candidates], unit))
            raise PinchError(
                f"the budget is {plan.budget.amount} {unit}, but pool {pool.base(plan.base).name} has"
                f" {have} in {plan.base!r} ({len(found)} training items, {plan.max_repeats} times at most)",
                fix="lower the budget, or raise max_repeats",
            )
        limit *= 4


def _dose_items(plan: MixPlan, pool: Pool, rows: _Rows, base_items: list[str]) -> dict[str, list[str]]:
    wanted = quotas(plan)
    if not wanted:
        return {}
    base = pa.array(list(dict.fromkeys(base_items)), pa.string())
    fills = {tag: _fill(plan, quota.unit, quota.amount, tag, rows) for tag, quota in wanted.items()}
    rules = {tag: _of_distinct(fills[tag], quota.times) for tag, quota in wanted.items()}
    if plan.items == "parallel":
        having = available(rows.find(base, [plan.base, *wanted]), list(wanted))
        lists = partition(base, list(wanted), having, plan.seed)
    else:
        lists, having = _other_items(plan, pool, rows, rules, base)
    if plan.max_repeats > 1:
        lists = {tag: _repeat(items, plan.max_repeats) for tag, items in lists.items()}
    distinct, lacking = take(lists, having, rules)
    taken = {tag: _each(items, wanted[tag].times) for tag, items in distinct.items()}
    taken = {tag: items[: fills[tag](items)] for tag, items in taken.items()}
    for tag in sorted(lacking):
        _refuse_dose(plan, pool, rows, tag, wanted, taken[tag], having)
    return taken


def _other_items(
    plan: MixPlan, pool: Pool, rows: _Rows, rules: dict[str, Enough], base: pa.Array
) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return lists of items that are not the base's, long enough for the doses or as long as the pool."""
    limit = _FIRST_LOOK
    while True:
        found = {
            tag: first_items(pool, tag, plan.seed, "pinch", limit, exclude=base).to_pylist() for tag in rules
        }
        universe = pa.array(sorted({item for items in found.values() for item in items}), pa.string())
        having = available(rows.find(universe, list(rules)), list(rules))
        whole = all(len(items) < limit for items in found.values())
        # Even lists need the whole pool in view. Whether the first look holds it does not depend on doses.
        even = whole and limit == _FIRST_LOOK
        lists = partition(universe, list(rules), having, plan.seed, even)
        if not whole:
            # Beyond its own look a language's list has gaps that a longer look would fill: a prefix of it
            # would not stay one.
            seen = {tag: set(items) for tag, items in found.items()}
            lists = {tag: [item for item in items if item in seen[tag]] for tag, items in lists.items()}
        if whole or all(rules[tag](lists[tag]) is not None for tag in rules):
            return lists, having
        limit *= 4


def _refuse_dose(
    plan: MixPlan,
    pool: Pool,
    rows: _Rows,
    tag: str,
    wanted: dict[str, Quota],
    items: list[str],
    having: dict[str, set[str]],
) -> None:
    quota = wanted[tag]
    have = sum(rows.sizes([(item, tag) for item in items], quota.unit))
    total = sum(other.amount for other in wanted.values() if other.unit == quota.unit)
    if plan.items == "parallel":
        whence = f"{len(having[tag])} of the base's items have a translation in it"
        fix = "lower the dose, use items: disjoint, or add translations to the pool"
    else:
        whence = f"{len(having[tag])} of its items are not already taken by the base"
        fix = "lower the dose, or add items in this language to the pool"
    raise PinchError(
        f"dose of {tag!r}: {amount_text(quota.amount)} {quota.unit} requested,"
        f" {have} can be had from pool {pool.name}"
        f" ({whence}; all doses together ask for {amount_text(total)} {quota.unit}, each item once,"
        f" from a budget of {plan.budget.amount} {plan.budget.unit})",
        fix=fix,
    )


def _place(
    plan: MixPlan, pool: Pool, rows: _Rows, base_items: list[str], doses: dict[str, list[str]]
) -> list[tuple[str, str]]:
    """Put base and dose together under the budget: the keys (item, language) of the mixture, in order."""
    dosed = [(item, tag) for tag, items in doses.items() for item in items]
    if plan.placement == "add":
        return [(item, plan.base) for item in base_items] + dosed
    unit = plan.budget.unit
    left = plan.budget.amount - sum(rows.sizes(dosed, unit))
    if left < 0:
        raise PinchError(
            f"the doses hold {plan.budget.amount - left} {unit}, the budget is {plan.budget.amount}",
            fix="lower the doses, or use placement: add",
        )
    replaced = {item for item, _ in dosed} if plan.items == "parallel" else set()
    kept = [item for item in base_items if item not in replaced]
    needed = _fill(plan, unit, float(left), plan.base, rows)(kept) if left else 0
    if needed is None:
        # In tokens, what a language needs less than the base leaves room for more of the base.
        look = 4 * (len(base_items) + len(replaced)) + _FIRST_LOOK
        more = first_items(pool.base(plan.base), plan.base, plan.seed, "base", look).to_pylist()
        kept = [item for item in _repeat(more, plan.max_repeats) if item not in replaced]
        needed = _fill(plan, unit, float(left), plan.base, rows)(kept)
    return [(item, plan.base) for item in (kept if needed is None else kept[:needed])] + dosed


def _in_base(plan: MixPlan, pool: Pool, rows: _Rows, keys: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the items of the doses in the base language."""
    dosed = sorted({item for item, tag in keys if tag != plan.base})
    having = available(rows.find(pa.array(dosed, pa.string()), [plan.base]), [plan.base])[plan.base]
    lacking = [item for item in dosed if item not in having]
    if lacking:
        raise PinchError(
            f"the control needs the doses' items in {plan.base!r}, and {len(lacking)} of {len(dosed)} have no"
            f" row in it in pool {pool.name}, the first is {lacking[0]!r}",
            fix="add them to the pool, or leave the control out",
        )
    return [(item, plan.base) for item, _ in keys]


def _table(keys: list[tuple[str, str]], rows: _Rows, counter: Counter | None) -> pa.Table:
    rows.fetch(keys)
    counts: Sequence[TokenCount | None] = rows.counts(keys) if counter is not None else [None] * len(keys)
    columns: dict[str, list[Any]] = {name: [] for name in MIXTURE_SCHEMA.names}
    for (item, tag), count in zip(keys, counts, strict=True):
        source, messages = rows.row((item, tag))
        columns["item_id"].append(item)
        columns["language"].append(tag)
        columns["source"].append(source)
        columns["messages"].append(messages)
        columns["tokens"].append(count.tokens if count else None)
        columns["supervised_tokens"].append(count.supervised_tokens if count else None)
        columns["truncated"].append(count.truncated if count else None)
    return pa.table(columns, schema=MIXTURE_SCHEMA)


def _manifest(plan: MixPlan, pool: Pool, table: pa.Table) -> dict[str, Any]:
    wanted = {} if plan.control else quotas(plan)
    seen: set[str] = set()
    duplicates: dict[str, int] = {}
    for tag, messages in zip(table["language"].to_pylist(), table["messages"].to_pylist(), strict=True):
        content = repr((tag, messages))
        duplicates[tag] = duplicates.get(tag, 0) + (content in seen)
        seen.add(content)
    counted = table["tokens"].null_count == 0 and table.num_rows > 0
    lines = []
    for tag in [plan.base, *wanted]:
        part = table.filter(pc.equal(table["language"], tag))
        quota = wanted.get(tag)
        lines.append(
            {
                "language": tag,
                "requested": {"unit": quota.unit, "amount": quota.amount} if quota else None,
                "examples": part.num_rows,
                "share": part.num_rows / max(table.num_rows, 1),
                "items": len(part["item_id"].unique()),
                "duplicates": duplicates.get(tag, 0),
                "tokens": pc.sum(part["tokens"]).as_py() or 0 if counted else None,
                "supervised_tokens": pc.sum(part["supervised_tokens"]).as_py() or 0 if counted else None,
                "truncated": pc.sum(part["truncated"]).as_py() or 0 if counted else None,
                "sources": dict(sorted(collections.Counter(part["source"].to_pylist()).items())),
            }
        )
    several = {"pools": [_named(part) for part in pool.parts]} if len(pool.parts) > 1 else {}
    return {
        "plan": plan.model_dump(mode="json"),
        "pool": _named(pool),
        **several,
        "rows": table.num_rows,
        "languages": lines,
    }


def _named(pool: Pool) -> dict[str, str]:
    return {"name": pool.name, "fingerprint": pool.fingerprint}


def _check_tolerance(plan: MixPlan, manifest: dict[str, Any]) -> None:
    for line in manifest["languages"]:
        if not line["examples"]:
            continue
        truncated = (line["truncated"] or 0) / line["examples"]
        if truncated > plan.tolerance:
            raise PinchError(
                f"{line['truncated']} of {line['examples']} rows in {line['language']!r} are truncated"
                f" ({truncated:.0%}, tolerance {plan.tolerance:.0%}): its dose would be less than declared",
                fix="raise max_length, choose shorter items, or raise the plan's tolerance",
            )
        unasked = line["duplicates"] - (line["examples"] - line["items"])
        repeats = unasked / line["examples"]
        if plan.max_repeats == 1 and repeats > plan.tolerance:
            raise PinchError(
                f"{unasked} of {line['examples']} rows in {line['language']!r} repeat another row"
                f" ({repeats:.0%}, tolerance {plan.tolerance:.0%})",
                fix="polypinch pool check lists them; remove them, or raise the plan's tolerance",
            )
