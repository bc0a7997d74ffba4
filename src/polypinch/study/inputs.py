"""A study's inputs, opened and checked: models, pools, and what is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.chat import ChatFormat, count_tokens
from polypinch.conversation import response
from polypinch.errors import PinchError
from polypinch.fidelity import Identifier
from polypinch.files import canonical_json, fingerprint
from polypinch.languages import language
from polypinch.mix import MixPlan, Mixture, make_mixture
from polypinch.models import Model, find_model
from polypinch.pool import POOL_SCHEMA, Pool, open_pool
from polypinch.seeded import ranks
from polypinch.study.judging import Judging
from polypinch.study.people import People
from polypinch.study.record import JudgeFacts, Record
from polypinch.study.spec import LLMJudge, PeopleJudge, Study
from polypinch.tasks import Place, asked, open_task, refuse_trained

# Which items are held out, or set aside, must not change with the study's seeds.
_FIXED_SEED = 0


@dataclass(frozen=True)
class Inputs(Record):
    """What a study reads.

    Attributes:
        models: by name.
        chats: the chat format of each model.
        pool: where mixtures come from; development items are already taken out.
        development: rows for the loss in the log, or ``None``.
        judging: the language model that judges, or ``None`` where another does.
        people: who judge, or ``None`` where another does.
    """

    models: dict[str, Model]
    chats: dict[str, ChatFormat]
    pool: Pool
    development: pa.Table | None
    judging: Judging | None
    people: People | None
    _mixtures: dict[str, Mixture] = field(default_factory=dict, repr=False)
    _fingerprints: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict, repr=False)

    @cached_property
    def heldout_fingerprint(self) -> str:
        """64 hex digits of the held-out rows."""
        return table_fingerprint(self.heldout)

    @cached_property
    def development_fingerprint(self) -> str | None:
        """64 hex digits of the rows for the loss in the log, or ``None`` without any."""
        return None if self.development is None else table_fingerprint(self.development)

    def heldout_in(self, tags: Sequence[str]) -> pa.Table:
        """Return the held-out rows in some languages."""
        return _in_languages(self.heldout, tags)

    def answered_in(self, tags: Sequence[str]) -> pa.Table:
        """Return the answered rows in some languages."""
        return _in_languages(self.answered, tags)

    def rows_fingerprint(self, which: Literal["heldout", "answered"], tags: Sequence[str]) -> str:
        """Return 64 hex digits of the held-out or the answered rows in some languages."""
        key = (which, tuple(tags))
        if key not in self._fingerprints:
            rows = self.heldout_in(tags) if which == "heldout" else self.answered_in(tags)
            self._fingerprints[key] = table_fingerprint(rows)
        return self._fingerprints[key]

    @cached_property
    def _asked_in_tasks(self) -> dict[str, Place]:
        return asked(self.tasks)

    def mixture(self, model: str, plan: MixPlan, max_length: int, keep: bool = False) -> Mixture:
        """Return a plan's mixture, counted in a model's tokens.

        Args:
            model: whose tokens.
            plan: what to select.
            max_length: conversations are cut off beyond, in tokens.
            keep: hold it in memory until it is asked for without ``keep``: the pre-flight makes what is then
                written.

        Raises:
            PinchError: the plan is impossible, or trains on held-out items or on a task's; with the numbers.
        """
        key = canonical_json([model, plan.model_dump(mode="json"), max_length])
        found = self._mixtures.pop(key, None)
        if found is None:
            counter = count_tokens(self.chats[model], max_length)
            pools = [*plan.heldout, *(one.task.pool for one in self.tasks if one.task.pool)]
            found = make_mixture(plan, self.pool, counter, [open_pool(name) for name in pools])
            refuse_trained(found.table, self._asked_in_tasks)
        if keep:
            self._mixtures[key] = found
        return found


def table_fingerprint(table: pa.Table) -> str:
    """Return 64 hex digits of a small table's content."""
    return fingerprint(table.select(["item_id", "language", "messages"]).to_pylist())


def open_inputs(study: Study) -> Inputs:
    """Open all that a study reads.

    Raises:
        PinchError: something is missing; said before anything is spent.
    """
    pool = open_pool(study.pool)
    heldout = _heldout(study, pool)
    _all_or_no_references(heldout)
    Identifier(fidelity_candidates(study))
    development = _development(study, pool) if study.development_items else None
    if development is not None:
        pool = pool.without(development["item_id"].unique(), f"{study.development_items} development items")
    tasks = tuple(open_task(task, study.evaluated) for task in study.tasks)
    models = {name: find_model(name) for name in study.every_model}
    chats = {name: ChatFormat.load(model, study.tuning.chat_template) for name, model in models.items()}
    for chat in chats.values():
        chat.keep()
    spec = study.comparison.judge
    judging = Judging(spec, study.comparisons, study.name) if isinstance(spec, LLMJudge) else None
    people = People(spec) if isinstance(spec, PeopleJudge) else None
    asked = judging or people
    facts = JudgeFacts() if asked is None else asked.facts
    names = {name: chat.name for name, chat in chats.items()}
    return Inputs(study, heldout, tasks, names, facts, models, chats, pool, development, judging, people)


def _in_languages(rows: pa.Table, tags: Sequence[str]) -> pa.Table:
    normal = [language(tag).tag for tag in tags]
    return rows.filter(pc.is_in(rows["language"], value_set=pa.array(normal)))


def fidelity_candidates(study: Study) -> list[str]:
    """Return the languages that answers are told among: the evaluated ones, and English."""
    english = any(tag.split("-")[0] == "en" for tag in study.evaluated)
    return sorted(study.evaluated if english else (*study.evaluated, "en"))


def _all_or_no_references(heldout: pa.Table) -> None:
    columns = [heldout[name].to_pylist() for name in ("item_id", "language", "messages")]
    without = [
        (item, tag)
        for item, tag, messages in zip(*columns, strict=True)
        if not (response(messages) or "").strip()
    ]
    if 0 < len(without) < heldout.num_rows:
        item, tag = without[0]
        raise PinchError(
            f"{len(without)} of {heldout.num_rows} held-out rows have no reference response, the first is"
            f" item {item!r} in {tag!r}",
            fix="complete them, or leave those items out: loss and scores need the same items everywhere",
        )


def _complete(table: pa.Table, tags: tuple[str, ...], where: str) -> pa.Table:
    """Order rows by item and language, refusing items that lack a language.

    The order is the same for all studies that evaluate these languages, so that they share their work.
    """
    have = set(zip(table["item_id"].to_pylist(), table["language"].to_pylist(), strict=True))
    items = table["item_id"].unique().to_pylist()
    missing = [(item, tag) for item in items for tag in tags if (item, tag) not in have]
    if missing:
        item, tag = missing[0]
        raise PinchError(
            f"{where}: {len(missing)} translations are missing, the first is item {item!r} in {tag!r}"
            f" ({len(items)} items × {len(tags)} languages are needed)",
            fix="add them, or evaluate fewer languages",
        )
    if len(have) < table.num_rows:
        raise PinchError(
            f"{where}: an item stands twice in a language", fix="polypinch pool check lists them"
        )
    item_rank = pa.array(ranks(table["item_id"].combine_chunks(), _FIXED_SEED, "heldout"))
    by = table.append_column("item_rank", item_rank)
    by = by.sort_by([("item_rank", "ascending"), ("item_id", "ascending"), ("language", "ascending")])
    return by.select(POOL_SCHEMA.names)


def _first_of(table: pa.Table, limit: int | None, where: str) -> pa.Table:
    items = table["item_id"].unique()
    if limit is None:
        return table
    if len(items) < limit:
        raise PinchError(f"{where}: {limit} items asked for, there are {len(items)}", fix="ask for fewer")
    return table.filter(pc.is_in(table["item_id"], value_set=items.slice(0, limit)))


def _heldout(study: Study, pool: Pool) -> pa.Table:
    source = open_pool(study.heldout.pool) if study.heldout.pool else pool
    where = pc.field("language").isin(list(study.evaluated))
    if study.heldout.pool is None or "heldout" in source.split_languages():
        where &= pc.field("split") == "heldout"
    rows = source.select(where=where)
    if not rows.num_rows:
        raise PinchError(
            f"pool {source.name} has no held-out rows in {', '.join(study.evaluated)}",
            fix="name a held-out pool (heldout: {pool: …}), or import one with --split heldout",
        )
    name = f"held-out items of {source.name}"
    return _first_of(_complete(rows, study.evaluated, name), study.heldout.items, name)


def _development(study: Study, pool: Pool) -> pa.Table:
    where = (pc.field("language").isin(list(study.evaluated))) & (pc.field("split") == "train")
    ids = pool.select(["item_id", "language"], where)
    counts = ids.group_by("item_id").aggregate([("language", "count_distinct")])
    whole = counts.filter(pc.equal(counts["language_count_distinct"], len(study.evaluated)))["item_id"]
    if len(whole) < study.development_items:
        raise PinchError(
            f"development_items: {study.development_items} asked for, pool {pool.name} has {len(whole)}"
            f" training items in all of {', '.join(study.evaluated)}",
            fix="ask for fewer, or for none (0)",
        )
    order = ranks(whole.combine_chunks(), _FIXED_SEED, "development").argsort(kind="stable")
    chosen = whole.take(pa.array(order[: study.development_items]))
    rows = pool.select(where=where & pc.field("item_id").isin(chosen.combine_chunks()))
    return _complete(rows, study.evaluated, f"development items of {pool.name}")
