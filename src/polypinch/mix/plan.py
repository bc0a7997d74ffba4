"""The mix plan: what a mixture shall hold, every number with its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar, assert_never, get_args

from pydantic import Field, field_validator, model_validator

from polypinch.errors import PinchError
from polypinch.languages import language, languages
from polypinch.specs import Seed, Spec

Unit = Literal["examples", "tokens", "supervised_tokens"]
_BUDGET_UNITS: tuple[Unit, ...] = get_args(Unit)
_Name = TypeVar("_Name", bound=str)


def _one_of(spec: Spec, names: Sequence[_Name]) -> _Name:
    given = [name for name in names if getattr(spec, name) is not None]
    if len(given) != 1:
        found = f"{' and '.join(given)} are given" if given else "none is given"
        raise ValueError(f"exactly one of {', '.join(names)} is needed, {found}")
    return given[0]


class Budget(Spec):
    """The size of a mixture before anything is added: exactly one of the three.

    Attributes:
        examples: rows.
        tokens: tokens of whole conversations.
        supervised_tokens: tokens under the loss.
    """

    examples: int | None = Field(None, gt=0)
    tokens: int | None = Field(None, gt=0)
    supervised_tokens: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _check(self) -> Budget:
        _one_of(self, _BUDGET_UNITS)
        return self

    @property
    def unit(self) -> Unit:
        """The unit it is given in."""
        return _one_of(self, _BUDGET_UNITS)

    @property
    def amount(self) -> int:
        """The number, in :attr:`unit`."""
        return int(getattr(self, self.unit))


DoseUnit = Literal["count", "count_each", "share", "tokens", "supervised_tokens"]
_DOSE_UNITS: tuple[DoseUnit, ...] = get_args(DoseUnit)


class Dose(Spec):
    """How much of a set of languages: exactly one unit, evenly over the set.

    Attributes:
        languages: tags; the total is spread evenly over them.
        count: examples, in total over the set.
        count_each: examples, for each language of the set.
        share: part of the budget (0 to 1), in the budget's unit, in total over the set.
        tokens: tokens of whole conversations, in total over the set.
        supervised_tokens: tokens under the loss, in total over the set.
        times: each of its rows stands so many times, so the amount holds as many fewer distinct ones: a
            pinch of few translations, upsampled.
    """

    languages: tuple[str, ...] = Field(min_length=1)
    count: int | None = Field(None, ge=0)
    count_each: int | None = Field(None, ge=0)
    share: float | None = Field(None, ge=0, le=1)
    tokens: int | None = Field(None, ge=0)
    supervised_tokens: int | None = Field(None, ge=0)
    # Left out where it is not set, so that plans from before it keep their fingerprints.
    times: int = Field(1, ge=1, exclude_if=lambda times: times == 1)

    @field_validator("languages")
    @classmethod
    def _tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_tags(tags))

    @model_validator(mode="after")
    def _check(self) -> Dose:
        _one_of(self, _DOSE_UNITS)
        return self

    def quota(self, budget: Budget) -> tuple[Unit, float]:
        """Return the unit and the total over the set."""
        match _one_of(self, _DOSE_UNITS):
            case "count":
                return "examples", float(self.count or 0)
            case "count_each":
                return "examples", float((self.count_each or 0) * len(self.languages))
            case "share":
                amount = (self.share or 0.0) * budget.amount
                return budget.unit, float(round(amount))
            case "tokens":
                return "tokens", float(self.tokens or 0)
            case "supervised_tokens":
                return "supervised_tokens", float(self.supervised_tokens or 0)
            case unit:
                assert_never(unit)


def _tags(tags: Sequence[str]) -> list[str]:
    try:
        return languages(list(tags))
    except PinchError as error:
        raise ValueError(str(error)) from error


class MixPlan(Spec):
    """The declaration of a mixture.

    Attributes:
        pool: built-in name, or a path; or several, joined by item. Base rows are then of the first that has
            any, and doses of all.
        base: the language that makes up the rest.
        budget: the size of the mixture (with ``placement: add``, of its base part).
        doses: how much of which other languages.
        placement: ``replace`` base rows, keeping the size, or ``add`` to them.
        items: ``parallel``, the base's own items in another language, or ``disjoint``, other items.
        seed: selects the rows; two plans that share it are nested.
        max_repeats: how often one row may stand in the mixture.
        heldout: further pools whose items must not be trained on.
        tolerance: the greatest part of a language's rows that may be truncated or repeat another.
        control: the items of the doses stand in the base language instead: what the pinch adds beside its
            languages is in the control too.
    """

    pool: str | tuple[str, ...]
    base: str = "en"
    budget: Budget
    doses: tuple[Dose, ...] = ()
    placement: Literal["replace", "add"] = "replace"
    items: Literal["parallel", "disjoint"] = "parallel"
    seed: Seed = 0
    max_repeats: int = Field(1, ge=1)
    heldout: tuple[str, ...] = ()
    tolerance: float = Field(0.1, ge=0, le=1)
    # Left out where it is not set, as `times`.
    control: bool = Field(False, exclude_if=lambda control: not control)

    @field_validator("base")
    @classmethod
    def _base(cls, tag: str) -> str:
        return _tags([tag])[0]

    @field_validator("pool")
    @classmethod
    def _pool(cls, named: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return pools_named(named)

    @model_validator(mode="after")
    def _check(self) -> MixPlan:
        named = [tag for dose in self.doses for tag in dose.languages]
        twice = sorted({tag for tag in named if named.count(tag) > 1})
        if twice:
            raise ValueError(f"language {', '.join(twice)} has two doses; give it one")
        if self.control and not self.doses:
            raise ValueError("control: the plan has no doses whose items could stand in the base language")
        if self.base in named:
            raise ValueError(
                f"{self.base} is the base, so its dose is what the others leave; remove it from doses"
            )
        shares = sum(dose.share or 0.0 for dose in self.doses)
        if shares > 1:
            raise ValueError(f"the shares sum to {shares:g}, which is more than 1")
        return self


def pools_named(named: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Return the one pool that is named, or the several; one of a list is that one.

    Raises:
        ValueError: none is named, or one twice.
    """
    if isinstance(named, str):
        return named
    if not named or len(set(named)) < len(named):
        raise ValueError("a pool is named twice" if named else "no pool is named")
    return named[0] if len(named) == 1 else named


def monolingual(pool: str, base: str, examples: int, seed: int = 0) -> MixPlan:
    """Plan a mixture of one language."""
    return MixPlan(pool=pool, base=base, budget=Budget(examples=examples), seed=seed)


def pinch(
    pool: str, languages: Sequence[str], count: int, examples: int, base: str = "en", seed: int = 0
) -> MixPlan:
    """Plan ``examples`` rows of which ``count`` in total are in ``languages`` instead of the base."""
    dose = Dose(languages=tuple(languages), count=count)
    return MixPlan(pool=pool, base=base, budget=Budget(examples=examples), doses=(dose,), seed=seed)


def uniform(pool: str, languages: Sequence[str], examples: int, base: str = "en", seed: int = 0) -> MixPlan:
    """Plan ``examples`` rows spread evenly over ``languages`` and the base."""
    others = [tag for tag in languages if language(tag).tag != language(base).tag]
    return pinch(pool, others, round(examples * len(others) / (len(others) + 1)), examples, base, seed)


def pair(pool: str, base: str, other: str, examples: int, seed: int = 0) -> MixPlan:
    """Plan half and half of two languages."""
    return pinch(pool, [other], examples // 2, examples, base, seed)


def amount_text(amount: float) -> str:
    """Write an amount of a dose: whole numbers with every digit, as ``2,000,000``."""
    return f"{int(amount):,}" if float(amount).is_integer() else f"{amount:.12g}"
