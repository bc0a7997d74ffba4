"""The pinch: how much of which languages, from whom, and the plan that says it."""

from __future__ import annotations

from dataclasses import dataclass

from polypinch.errors import PinchError
from polypinch.mix import Budget, Dose, MixPlan
from polypinch.pool import PINCH25, open_pool
from polypinch.probe import LEAST_EACH, dose
from polypinch.season.gathered import Gathered
from polypinch.season.request import Request
from polypinch.translate import POOL as TRANSLATED

PINCH = "pinch"


@dataclass(frozen=True)
class Pinch:
    """What is put in.

    Attributes:
        plan: the mix plan.
        languages: those that are put in.
        lacking: those asked for that cannot be.
        count: examples in them, in total.
        why: why so many, in words.
        translated: whether they are the rows' own items in translation, or others.
    """

    plan: MixPlan
    languages: tuple[str, ...]
    lacking: tuple[str, ...]
    count: int
    why: str
    translated: bool

    @property
    def confounded(self) -> str:
        """What the reader must know of where the pinch is from; empty where only the language differs."""
        if self.translated:
            return ""
        return (
            f"The pinch is {PINCH25}'s own items, not translations of these rows: what a language does"
            " and what other items do cannot be told apart. A control, the same items in English, is a"
            " line in the plan (control: true)."
        )


def choose_pinch(asked: Request, gathered: Gathered, translated: bool) -> Pinch:
    """Choose the doses.

    Args:
        asked: the request.
        gathered: its rows.
        translated: the rows' own items are translated; else the built-in pool's own are put in.

    Raises:
        PinchError: the built-in pool has none of the languages, or the rows are too few for the count.
    """
    if translated:
        having, lacking = asked.languages, tuple[str, ...]()
        pools = (str(gathered.path), str(asked.out / PINCH / TRANSLATED))
    else:
        stock = open_pool(PINCH25).split_languages()["train"]
        having = tuple(tag for tag in asked.languages if tag in stock)
        lacking = tuple(tag for tag in asked.languages if tag not in stock)
        pools = (str(gathered.path), PINCH25)
        if not having:
            raise PinchError(
                f"{PINCH25} has no rows in {', '.join(lacking)}, only in {', '.join(sorted(stock))}",
                fix="name who translates: --translator http://127.0.0.1:8000/v1, or a model's folder",
            )
    count, why = _count(asked, gathered.examples, len(having))
    plan = MixPlan(
        pool=pools,
        base=asked.base,
        budget=Budget(examples=gathered.examples),
        doses=(Dose(languages=having, count=count),),
        # Other items would push out the rows' own; their translations stand in their place.
        placement="replace" if translated else "add",
        items="parallel" if translated else "disjoint",
        seed=asked.seed,
    )
    return Pinch(plan, having, lacking, count, why, translated)


def _count(asked: Request, examples: int, useful: int) -> tuple[int, str]:
    if asked.count is not None:
        if asked.count > examples:
            raise PinchError(
                f"--count {asked.count}: there are {examples} rows",
                fix="ask for fewer: 1 % has been seen to do",
            )
        return asked.count, "as asked"
    advised = max(dose(examples, useful), LEAST_EACH * useful)
    count = min(advised, examples // 2)
    if not count:
        raise PinchError(f"{examples} rows are too few for a pinch", fix="give more rows, or --count")
    return count, (
        f"1 % of the rows, or {LEAST_EACH} in each of {useful} languages where that is more: 40 of 4,640"
        " did in Shaham et al. (2024). Whether it does for this model, polypinch run measures"
    )
