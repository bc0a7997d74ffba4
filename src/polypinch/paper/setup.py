"""What a preset is set up with: a model, what a pool has, a size, and languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polypinch.errors import PinchError
from polypinch.languages import PAPER_LANGUAGES, language, languages
from polypinch.mix import quotas
from polypinch.pool import Pool
from polypinch.study import Study

PAPER_HALF = ("en", "ar", "fi", "it", "ru", "sw")
"""The languages of section 3.3; the other six are evaluated only."""

PAPER_SLAVIC = ("ru", "sr", "hr", "sl", "pl", "sk", "cs")
"""The languages of section 4.1."""


@dataclass(frozen=True)
class Size:
    """How large a study is.

    Attributes:
        name: ``tiny``, ``small`` or ``paper``.
        meant_for: the machine and time, in words.
        examples: in every mixture.
        items: held-out items for the loss.
        answered: those of them that are answered.
        seeds: of most experiments.
        many_seeds: of the one that measures their spread.
        percents: the shares of section 3.2, in percent.
        shares: of the dose ladder, as parts of the budget.
        doses: of the experiments that compare two ways to add one, in examples.
        orderings: of section 3.4.
        steps: numbers of languages in them, short of all.
        pairs: of section 3.4, or ``None``: as many as the languages give.
        tuning: settings of the recipe.
        answering: settings of the sampling.
    """

    name: str
    meant_for: str
    examples: int
    items: int
    answered: int
    seeds: int
    many_seeds: int
    percents: tuple[int, ...]
    shares: tuple[float, ...]
    doses: tuple[int, ...]
    orderings: int
    steps: tuple[int, ...]
    pairs: int | None
    tuning: Mapping[str, Any]
    answering: Mapping[str, Any]


TINY = Size(
    name="tiny",
    meant_for="two cores, minutes: to try it, not to conclude from it",
    examples=48,
    items=8,
    answered=4,
    seeds=1,
    many_seeds=5,
    percents=(50, 100),
    shares=(0.5,),
    doses=(20,),
    orderings=2,
    steps=(1, 2, 4),
    pairs=2,
    tuning={"epochs": 1, "batch_rows": 8, "learning_rate": 5e-4},
    answering={"max_new_tokens": 24},
)
SMALL = Size(
    name="small",
    meant_for="one GPU, hours",
    examples=1000,
    items=200,
    answered=100,
    seeds=3,
    many_seeds=10,
    percents=(10, 20, 50, 100),
    shares=(0.01, 0.02, 0.05, 0.1, 0.25, 0.5),
    doses=(10, 40, 160),
    orderings=3,
    steps=(1, 2, 3, 4, 5),
    pairs=None,
    tuning={"epochs": 2, "batch_rows": 16},
    answering={"max_new_tokens": 256},
)
PAPER = Size(
    name="paper",
    meant_for="the paper's 4,640 examples and 617 prompts",
    examples=4640,
    items=617,
    answered=617,
    seeds=3,
    many_seeds=10,
    percents=tuple(range(10, 101, 10)),
    shares=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5),
    doses=(10, 40, 160, 640),
    orderings=3,
    steps=(1, 2, 3, 4, 5),
    pairs=None,
    tuning={"epochs": 2, "batch_rows": 32},
    answering={"max_new_tokens": 512, "temperature": 0.7, "top_p": 0.9},
)
SIZES = {size.name: size for size in (TINY, SMALL, PAPER)}


@dataclass(frozen=True)
class Stock:
    """What an experiment may know of a pool.

    Attributes:
        pool: its name or path.
        train: training rows by language.
        heldout: held-out rows by language.
        heldout_pool: the name or path of another pool that these are from.
    """

    pool: str
    train: Mapping[str, int]
    heldout: Mapping[str, int]
    heldout_pool: str | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have rows of both kinds, sorted."""
        return tuple(sorted(tag for tag in self.train if self.train[tag] and self.heldout.get(tag)))


def take_stock(name: str, pool: Pool, heldout_name: str | None = None, heldout: Pool | None = None) -> Stock:
    """Count a pool's rows, or those of a pool and of another one that is held out.

    Args:
        name: as the study shall name the pool.
        pool: the pool.
        heldout_name: as the study shall name the other.
        heldout: the other; its held-out split, or all of it where it has none.
    """
    source = heldout or pool
    splits = source.split_languages()
    held = splits.get("heldout", {})
    if heldout is not None and not held:
        held = splits.get("train", {})
    return Stock(name, pool.split_languages().get("train", {}), held, heldout_name)


@dataclass(frozen=True)
class Setup:
    """One experiment's parameters.

    Attributes:
        model: the base model's name.
        stock: what the pool has.
        size: how large.
        languages: the base first.
        family: a branch of languages, for the family study.
    """

    model: str
    stock: Stock
    size: Size
    languages: tuple[str, ...]
    family: str = "Slavic"

    @property
    def base(self) -> str:
        """The language that makes up the rest of most mixtures."""
        return self.languages[0]

    @property
    def others(self) -> tuple[str, ...]:
        """All languages but the base."""
        return self.languages[1:]

    def at_least(self, count: int, name: str) -> None:
        """Refuse an experiment that needs more languages.

        Raises:
            PinchError: there are fewer than ``count``.
        """
        if len(self.languages) < count:
            raise PinchError(
                f"{name} needs {count} languages or more, there are {len(self.languages)}:"
                f" {', '.join(self.languages)} (pool {self.stock.pool} has training and held-out rows in"
                f" {', '.join(self.stock.languages) or 'none'})",
                fix="name more languages, or a pool that has more",
            )

    def halves(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what pinches hold beside the base, and what they do not.

        The paper's halves where the languages are the paper's, else the first half in the order given.
        """
        if set(self.languages) == set(PAPER_LANGUAGES):
            half = tuple(tag for tag in PAPER_HALF if tag != self.base)
        else:
            half = self.others[: (len(self.languages) + 1) // 2 - 1 or 1]
        return half, tuple(tag for tag in self.others if tag not in half)


def set_up(
    model: str, stock: Stock, size: str = "tiny", tags: Sequence[str] = (), family: str = "Slavic"
) -> Setup:
    """Choose an experiment's languages and size.

    Args:
        model: the base model's name.
        stock: what the pool has.
        size: a key of :data:`SIZES`.
        tags: languages, English or else the first as the base; by default the paper's where the pool has
            them all, else all that the pool has.
        family: a branch of languages, for the family study.

    Raises:
        PinchError: there is no such size, or a language is unknown or not in the pool.
    """
    if size not in SIZES:
        raise PinchError(f"no size {size!r}", fix=f"known: {', '.join(SIZES)}")
    have = stock.languages
    normal = languages(list(tags))
    lacking = [tag for tag in normal if tag not in have]
    if lacking or not have:
        raise PinchError(
            f"pool {stock.pool} has no training and held-out rows in {', '.join(lacking) or 'any language'}"
            f"; it has both in {', '.join(have) or 'none'}",
            fix="name others, or a pool that has them, or held-out rows with --heldout",
        )
    if not normal:
        normal = [tag for tag in have if tag in PAPER_LANGUAGES or not set(PAPER_LANGUAGES) <= set(have)]
    base = "en" if "en" in normal else normal[0]
    return Setup(model, stock, SIZES[size], (base, *(tag for tag in normal if tag != base)), family)


def of_family(stock: Stock, family: str) -> tuple[str, ...]:
    """Return the pool's languages of a branch, the paper's first and in its order."""
    found = [tag for tag in stock.languages if language(tag).family == family]
    return tuple(sorted(found, key=lambda tag: (PAPER_SLAVIC.index(tag) if tag in PAPER_SLAVIC else 99, tag)))


def refuse_shortage(study: Study, stock: Stock, size: Size) -> None:
    """Refuse a study for which the pool has too few rows.

    Raises:
        PinchError: with what is needed and what is there, by language.
    """
    train: dict[str, float] = {}
    for arm in study.arms:
        plan = study.plan(arm, study.seeds[0])
        wanted = {plan.base: float(study.budget.amount)} | {t: q.amount for t, q in quotas(plan).items()}
        for tag, amount in wanted.items():
            train[tag] = max(train.get(tag, 0.0), amount)
    if study.comparison.against == "monolingual":
        train |= dict.fromkeys(study.evaluated, float(study.budget.amount))
    heldout = dict.fromkeys(study.evaluated, float(study.heldout.items or 0))
    lines = [*_short("training", train, stock.train), *_short("held-out", heldout, stock.heldout)]
    if lines:
        raise PinchError(
            f"{study.name} at size {size.name}: pool {stock.pool} has too few rows: {'; '.join(lines)}",
            fix=_remedy(study.base, train, stock),
        )


def _remedy(base: str, needed: Mapping[str, float], stock: Stock) -> str:
    """Return what makes the training rows that are lacking: translating the base's, where those suffice."""
    most = round(max(needed.values(), default=0.0))
    others = [tag for tag, amount in needed.items() if tag != base and stock.train.get(tag, 0) < amount]
    if stock.train.get(base, 0) < most or not others:
        return (
            f"a smaller --size, other --languages, or a larger pool: of {base}, {most:,} training rows"
            " are the least (polypinch pool import; bactrian-x has 67,000 items parallel in 52 languages)"
        )
    calls = sum(most - stock.train.get(tag, 0) for tag in others)
    return (
        f"a smaller --size, other --languages, or make them in {calls:,} calls: polypinch translate"
        f" {stock.pool} --to {','.join(others)} --items {most} --out translations --model MODEL --prices"
        " PRICES.yaml (--estimate says the tokens and the money), then name both pools"
    )


def _short(kind: str, needed: Mapping[str, float], have: Mapping[str, int]) -> list[str]:
    groups: dict[tuple[int, int], list[str]] = {}
    for tag, amount in needed.items():
        if have.get(tag, 0) < amount:
            groups.setdefault((round(amount), have.get(tag, 0)), []).append(tag)
    return [
        f"{amount:,} {kind} rows are needed, {there:,} are there in {', '.join(tags)}"
        for (amount, there), tags in groups.items()
    ]
