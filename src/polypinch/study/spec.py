"""The study: what is tuned on what, what is compared with what."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from polypinch.answer import Sampling
from polypinch.errors import PinchError
from polypinch.judge import TIE_MARGIN, Orders
from polypinch.languages import languages
from polypinch.mix import Budget, Dose, MixPlan, pools_named
from polypinch.openai_server import check_address
from polypinch.specs import Seed, Spec, validate
from polypinch.study.artifacts import Kind
from polypinch.study.dosed import ladder
from polypinch.study.resources import Resources
from polypinch.tasks import Task
from polypinch.tune import TuneRecipe

UNTUNED, MONOLINGUAL = "untuned", "monolingual"


class Design(StrEnum):
    """Which of its trainings a study does."""

    FIXED = "fixed"
    ADAPTIVE = "adaptive"


class Arm(Spec):
    """One training condition: what its mixture holds, and what it changes in the tuning.

    Attributes:
        name: letters, digits, dots, dashes; unique in the study.
        base: the language of all but its doses; by default the study's.
        model: another base model that it is tuned from; by default each of the study's. It stands beside
            their arms: bits per byte, fidelity and scores compare across base models.
        doses: as in a mix plan; none is the base language alone.
        placement: as in a mix plan.
        items: as in a mix plan.
        control_of: another arm, whose doses' items this one has in the base language; it has no doses itself.
        tuning: settings of the tune recipe that this arm changes.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    base: str | None = None
    model: str | None = None
    doses: tuple[Dose, ...] = ()
    placement: Literal["replace", "add"] = "replace"
    items: Literal["parallel", "disjoint"] = "parallel"
    control_of: str | None = None
    tuning: dict[str, Any] = Field(default_factory=dict)

    @field_validator("base")
    @classmethod
    def _base(cls, tag: str | None) -> str | None:
        return None if tag is None else _normal(tag)


def _normal(tag: str) -> str:
    try:
        return languages([tag])[0]
    except PinchError as error:
        raise ValueError(str(error)) from error


class StudyLanguages(Spec):
    """Which languages are evaluated, beside the base.

    Attributes:
        seen: tags of those that pinches hold.
        unseen: tags of those that no pinch holds.
    """

    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> StudyLanguages:
        try:
            normal = languages([*self.seen, *self.unseen])
        except PinchError as error:
            raise ValueError(str(error)) from error
        object.__setattr__(self, "seen", tuple(normal[: len(self.seen)]))
        object.__setattr__(self, "unseen", tuple(normal[len(self.seen) :]))
        return self


class HeldOut(Spec):
    """What is held out.

    Attributes:
        pool: its held-out split (all rows, where none says ``heldout``), or that of several joined by item;
            by default the study's own.
        items: how many items the held-out loss takes; all by default.
        answered: how many of them are answered; all by default.
    """

    pool: str | tuple[str, ...] | None = None
    items: int | None = Field(None, gt=0)
    answered: int | None = Field(None, gt=0)

    @field_validator("pool")
    @classmethod
    def _pool(cls, named: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return None if named is None else pools_named(named)

    @property
    def pools(self) -> tuple[str, ...]:
        """The pools that are named, none where it is the study's own."""
        return (self.pool,) if isinstance(self.pool, str) else self.pool or ()


class Adaptive(Spec):
    """Judging until each language of each comparison is settled.

    Attributes:
        half_width: stop where the interval of the mean outcome (0 to 1) is this narrow: 0.05 is 5 points of
            score. 0 goes on until the side of parity is settled.
        error: for all languages, arms and seeds of the study together.
    """

    half_width: float = Field(0.05, ge=0, lt=0.5)
    error: float = Field(0.05, gt=0, lt=1)


class LLMJudge(Spec):
    """A language model that judges answers.

    Attributes:
        name: a built-in judge (``pairwise``, ``pairwise-token``, ``grade``), or a folder.
        model: as its server names it, or what ``local`` loads.
        local: the model runs in this process.
        base_url: an OpenAI-compatible server; by default ``$OPENAI_BASE_URL``, or OpenAI itself.
        revision: of the model behind a server, where it is known.
        orders: ``both``, or ``sampled``: one that is drawn for each item and language, at half the cost.
        concurrency: calls under way at a time.
        prices: a price table's file: ``{model: {input: $, output: $}}`` for a million tokens.
        max_cost: dollars that the study spends at most, by all processes that work on it and all its runs.
        adaptive: ask no more than it takes; by default every item is judged.
    """

    name: str = "pairwise"
    model: str
    local: bool = False
    base_url: str | None = None
    revision: str | None = None
    orders: Orders = "both"
    concurrency: int = Field(16, gt=0)
    prices: str | None = None
    max_cost: float | None = Field(None, gt=0)
    adaptive: Adaptive | None = None

    @field_validator("base_url")
    @classmethod
    def _address(cls, address: str | None) -> str | None:
        if address is not None:
            try:
                check_address(address)
            except PinchError as error:
                raise ValueError(f"{error.message}: {error.fix}") from None
        return address

    @model_validator(mode="after")
    def _check(self) -> LLMJudge:
        if self.local and self.base_url is not None:
            raise ValueError("base_url: a local model has no server; leave one of the two out")
        if self.name == "reference":
            raise ValueError("name: reference asks no model; write judge: reference")
        if self.max_cost is not None and self.prices is None:
            raise ValueError("max_cost: needs prices to count by")
        return self


class PeopleJudge(Spec):
    """People who judged answers at a desk (``polypinch rate``).

    Attributes:
        people: the folder of their job, drawn from this study's answers.
    """

    people: str


class Claimed(Spec):
    """An endpoint: what a dose has to do to be enough.

    Attributes:
        measure: ``loss`` (bits per byte), ``fidelity`` (points of 100) or ``score`` (points).
        languages: ``other``: all but the base; ``base``; or a list of evaluated languages, on
            average.
        better: than no dose.
        no_worse_by: than no dose by this much or more, in the measure's unit.
    """

    measure: Literal["loss", "fidelity", "score"]
    languages: Literal["other", "base"] | tuple[str, ...] = "other"
    better: bool = False
    no_worse_by: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _check(self) -> Claimed:
        if self.better == (self.no_worse_by is not None):
            raise ValueError("write one of better: true and no_worse_by: a margin")
        if not isinstance(self.languages, str):
            if not self.languages:
                raise ValueError("languages: name one or more, or leave it out for all but the base")
            object.__setattr__(self, "languages", tuple(_normal(tag) for tag in self.languages))
        return self


class Comparison(Spec):
    """What answers are compared with, and by whom.

    Attributes:
        against: an arm's name; ``untuned``; or ``monolingual``, the paper's choice: in each language the
            model tuned on the whole budget in that language.
        judge: ``reference``: fidelity × chrF against the reference response; a language model; or people.
        tie_margin: of ``reference``: qualities no further apart than this, in points of chrF, are a tie.
    """

    against: str = MONOLINGUAL
    judge: Literal["reference"] | LLMJudge | PeopleJudge = "reference"
    tie_margin: float = Field(TIE_MARGIN, ge=0)


class Study(Spec):
    """A whole study.

    Attributes:
        name: names its artifacts.
        models: base models: built-in, folders, or Hub ids.
        pool: built-in name, or a path; or several, joined by item.
        base: the language that makes up the rest of every mixture, where its arm names no other.
        budget: the size of every mixture.
        languages: the evaluated languages, beside the base.
        arms: the training conditions.
        seeds: each selects rows and seeds tuning anew, so their spread holds both.
        tuning: the recipe that arms share.
        answering: how answers are drawn.
        heldout: what is evaluated on.
        tasks: held-out sets whose answers can be checked, for every arm and seed.
        development_items: training items set aside, in every language, for the loss in the log.
        comparison: what is compared with what.
        design: ``fixed``: every arm with every seed; or ``adaptive``: first none, a middle and the
            largest dose with two seeds, then the doses and seeds where it is open whether, and from which
            dose on, the held-out loss in the other languages falls. Never more than the fixed design.
        endpoints: what has to hold at a dose for it to be enough, one that is ``better`` leading. By default
            the loss in the other languages is better than none, fidelity there no worse by 5 points, the
            loss in the base language no worse by ``loss_margin``; and where a model or people judge,
            first of all the score better than none. They change no step.
        loss_margin: held-out loss that is higher than the largest dose's by less than this, in bits per byte,
            is as good as its; also the effect for which the report says what sample could tell it. It is read
            when the report is written, and changes no step; but an adaptive design gives doses up that are
            surely worth less.
        max_repeats: as in a mix plan.
        tolerance: as in a mix plan.
        resources: what steps of a kind ask of a cluster (``tune: {gpus: 1}``). They change no step.
    """

    name: str = Field("study", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)
    models: tuple[str, ...] = Field(min_length=1)
    pool: str | tuple[str, ...]
    base: str = "en"
    budget: Budget
    languages: StudyLanguages
    arms: tuple[Arm, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field((1,), min_length=1)
    tuning: TuneRecipe = TuneRecipe()
    answering: Sampling = Sampling()
    heldout: HeldOut = HeldOut()
    tasks: tuple[Task, ...] = Field((), exclude_if=lambda tasks: not tasks)
    development_items: int = Field(0, ge=0)
    comparison: Comparison = Comparison()
    design: Design = Field(Design.FIXED, exclude_if=lambda design: design is Design.FIXED)
    endpoints: tuple[Claimed, ...] = Field((), exclude_if=lambda endpoints: not endpoints)
    loss_margin: float = Field(0.005, gt=0)
    max_repeats: int = Field(1, ge=1)
    tolerance: float = Field(0.1, ge=0, le=1)
    resources: dict[Kind, Resources] = Field({}, exclude_if=lambda asked: not asked)

    @field_validator("base")
    @classmethod
    def _base(cls, tag: str) -> str:
        return _normal(tag)

    @field_validator("pool")
    @classmethod
    def _pool(cls, named: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return pools_named(named)

    @model_validator(mode="after")
    def _check(self) -> Study:
        names = [arm.name for arm in self.arms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two arms are named {', '.join(twice)}")
        reserved = [name for name in names if name == UNTUNED or re.match(rf"{MONOLINGUAL}(-|$)", name)]
        if reserved:
            raise ValueError(f"the name {reserved[0]} is taken: the study makes that one itself")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is named twice")
        if len(set(self.models)) < len(self.models):
            raise ValueError("a model is named twice")
        if self.base in (*self.languages.seen, *self.languages.unseen):
            raise ValueError(f"{self.base} is the base: it is always evaluated; remove it from languages")
        if len({task.name for task in self.tasks}) < len(self.tasks):
            raise ValueError("two tasks have one name")
        by_name = {arm.name: arm for arm in self.arms}
        for arm in self.arms:
            if arm.control_of is not None:
                self._check_control(arm, by_name.get(arm.control_of))
            self.plan(arm, self.seeds[0])
            self.recipe(arm)
            if "chat_template" in arm.tuning:
                raise ValueError(f"arm {arm.name}: the chat template is the study's; set it in tuning")
        if self.answering.samples > 1 and self.answering.temperature == 0:
            raise ValueError(
                "answering: several samples at temperature 0 are all the same; set a temperature"
            )
        if self.answering.samples > 1 and self.comparison.judge != "reference":
            raise ValueError("comparison.judge: it compares one answer with one; draw one sample")
        known = {*names, UNTUNED, MONOLINGUAL}
        if self.comparison.against not in known:
            raise ValueError(
                f"comparison.against: no arm {self.comparison.against!r}, only {', '.join(sorted(known))}"
            )
        return self

    def _check_control(self, arm: Arm, of: Arm | None) -> None:
        if of is None or not of.doses:
            raise ValueError(f"arm {arm.name}: control_of: there is no arm {arm.control_of!r} with doses")
        if arm.doses:
            raise ValueError(f"arm {arm.name}: a control has the doses of {of.name}; leave out its own")
        if (arm.base or self.base) != (of.base or self.base):
            raise ValueError(f"arm {arm.name}: a control has the base language of {of.name}")

    @model_validator(mode="after")
    def _endpoints_of_what_is_evaluated(self) -> Study:
        for one in self.endpoints:
            named = () if isinstance(one.languages, str) else one.languages
            apart = [tag for tag in named if tag not in self.evaluated]
            if apart:
                raise ValueError(f"endpoints: {', '.join(apart)} is not evaluated; add it to languages")
        leads = (one for one in self.endpoints if one.better and one.languages == "other")
        if self.endpoints and next(leads, None) is None:
            raise ValueError("endpoints: one has to be better: true in the other languages; it leads")
        return self

    @model_validator(mode="after")
    def _can_be_searched(self) -> Study:
        if self.design is Design.FIXED:
            return self
        baseline = next((arm.name for arm in self.arms if self.is_baseline(arm)), None)
        steps, _ = ladder(self, baseline)
        if len(steps) < 2:
            raise ValueError(
                "design: adaptive takes an arm without a dose and two or more that differ from it in their"
                " dose alone"
            )
        if len(self.seeds) < 2:
            raise ValueError("design: adaptive takes two seeds or more, the most that an arm may have")
        if len(self.evaluated) < 2:
            raise ValueError("design: adaptive takes another language than the base")
        if self.comparison.against in steps:
            raise ValueError(
                f"comparison.against: {self.comparison.against} may never be trained; name"
                f" {baseline}, {UNTUNED} or {MONOLINGUAL}"
            )
        return self

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The base, then the seen and the unseen languages."""
        return (self.base, *self.languages.seen, *self.languages.unseen)

    @property
    def monolingual(self) -> tuple[Arm, ...]:
        """The opponents of ``against: monolingual``: each evaluated language alone, on the whole budget."""
        return tuple(Arm(name=f"{MONOLINGUAL}-{tag}", base=tag) for tag in self.evaluated)

    @property
    def every_model(self) -> tuple[str, ...]:
        """The study's base models, and those that arms name."""
        named = (arm.model for arm in self.arms if arm.model is not None)
        return tuple(dict.fromkeys((*self.models, *named)))

    def is_baseline(self, arm: Arm) -> bool:
        """Whether an arm is the study's base language alone, tuned from the study's base model.

        A control is, where it is the only one and no other arm is without doses.
        """
        alone = [one for one in self.arms if self._is_base_alone(one)]
        plain = [one for one in alone if one.control_of is None]
        return arm in (plain or (alone if len(alone) == 1 else []))

    def _is_base_alone(self, arm: Arm) -> bool:
        return not arm.doses and arm.base in (None, self.base) and arm.model is None

    @property
    def comparisons(self) -> int:
        """How many comparisons the study makes: of each model, arm and seed with what it is compared with."""
        arms = [UNTUNED, *(arm.name for arm in self.arms)]
        return len(self.models) * len(self.seeds) * sum(arm != self.comparison.against for arm in arms)

    def plan(self, arm: Arm, seed: int) -> MixPlan:
        """Return an arm's mix plan."""
        of = next((other for other in self.arms if other.name == arm.control_of), arm)
        return MixPlan(
            pool=self.pool,
            base=arm.base or self.base,
            budget=self.budget,
            doses=of.doses,
            placement=of.placement,
            items=of.items,
            control=arm.control_of is not None,
            seed=seed,
            max_repeats=self.max_repeats,
            heldout=self.heldout.pools,
            tolerance=self.tolerance,
        )

    def recipe(self, arm: Arm) -> TuneRecipe:
        """Return the recipe with what the arm changes.

        Raises:
            PinchError: the arm sets what the recipe does not have.
        """
        return validate({**self.tuning.model_dump(), **arm.tuning}, TuneRecipe, f"arm {arm.name}: tuning")
