"""Every experiment by name: what the paper did, what is ours, what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polypinch.errors import PinchError
from polypinch.paper import designs
from polypinch.paper.setup import Setup
from polypinch.study import Study

SOURCE = "Shaham et al. (2024), arXiv 2401.01854"

EVERYWHERE = (
    "Another base model than PaLM 2-S, and other data and tuning than the paper's unless you bring them.",
    "Every number has an interval; sizes small and paper run three training seeds, the experiment seeds ten.",
    "By default the judge is a reference response (fidelity × chrF); the paper's was an instruction-tuned"
    " PaLM 2-L. A language model judges where comparison.judge names one.",
    "Whether an answer is in the language asked for is measured apart from its score.",
)
"""What differs from the paper in every study."""

UNKNOWN = (
    "The paper's tuning settings. Recalled, not verified: 2,000 steps of 128 rows at a constant rate of 1e-5,"
    " the checkpoint chosen by ROUGE-L on 250 development examples; answers drawn with nucleus 0.9 at"
    " temperature 0.7 (size paper draws so). The tuning is not copied: here it ends after few epochs.",
)
"""What is not known of any of the paper's experiments."""

_MATRIX = "The report draws the transfer matrix of scores, and of held-out loss against the untuned base."
_OPPONENT = (
    "Each language's opponent is the model tuned on the whole budget in it, the paper's choice: 50 is parity,"
    " and scores are not comparable across languages."
)
_FIXED = (
    "The opponent is the base language alone, so it is the same in every language; set comparison.against:"
    " monolingual for the paper's scores."
)
_NOT_OF_PAPER = "The paper has no such experiment."


@dataclass(frozen=True)
class Preset:
    """One experiment.

    Attributes:
        name: on the command line.
        where: its figure and section in the paper, or ``ours``.
        title: what it asks, in a line.
        paper: what the paper did and found.
        ours: what differs here, beside :data:`EVERYWHERE`.
        unknown: what cannot be known of the paper's, beside :data:`UNKNOWN`.
        make: from a setup to the study.
    """

    name: str
    where: str
    title: str
    paper: str
    ours: tuple[str, ...]
    unknown: tuple[str, ...]
    make: Callable[[Setup], Study]


_ALL = (
    Preset(
        "monolingual",
        "Figure 1, section 3.1",
        "Tuned on one language, how well does a model answer in all others?",
        "12 models, each tuned on 4,640 examples in one language, each evaluated in all 12. English was best"
        " on average, then Italian and Spanish; Hindi worst, still above 30 in 9 of 11 languages.",
        (_OPPONENT, _MATRIX),
        (),
        designs.monolingual,
    ),
    Preset(
        "pinch",
        "Figure 3, section 3.2",
        "English, and a growing part spread evenly over all languages, at a fixed size.",
        "P % of the set spread evenly over all 12 languages, the rest English: P = 1 (40 examples), 10, 20 …"
        " 100. Non-English scores jumped already at P = 1; English declined as it was diluted; at P = 100 the"
        " model was as good as or better than the monolingual ones in 8 of 12 languages.",
        (
            _OPPONENT,
            "An arm without any other language is added, which the dose can be compared with.",
            "P = 1 is 40 of 4,640 examples; at smaller budgets as large a part, but at least one example for"
            " each language, so at size tiny the smallest pinch is many times the paper's, and the steps in"
            " between are fewer.",
            "In p10 and so on the share includes the base, as the paper's does.",
        ),
        (
            "How the 40 examples were spread: 40 is not divisible by 11, and 1 % of 4,640 is 46."
            " Here: as evenly as 40 allows, the remainder by a seeded order.",
        ),
        designs.pinch,
    ),
    Preset(
        "half",
        "Figure 4, section 3.3",
        "The same with half of the languages in the pinch: do the unseen ones gain?",
        "As in pinch, with en ar fi it ru sw only; cs et he hi es zh were evaluated unseen. Averages over"
        " seen and over unseen languages both rose fast, also at P = 1.",
        (_OPPONENT, "With other languages than the paper's, the first half in the order given is seen."),
        ("How the examples of P = 1 were spread over the languages.",),
        designs.half,
    ),
    Preset(
        "languages",
        "Figure 5, section 3.4",
        "How many languages, at a fixed budget spread evenly over them?",
        "1 to 6 of en ar fi it ru sw at a fixed budget, in 3 orderings, scored on the six unseen. It rose"
        " with 2, 3 and 4 languages, was near parity by 3 to 4, then saturated.",
        (
            "Read the unseen average. The set of all is one arm, not one for each ordering.",
            "At size tiny two orderings, and 1, 2, 4 and all languages.",
        ),
        ("Which orderings the paper drew, and whether they began with English: here they are drawn freely.",),
        designs.number_of_languages,
    ),
    Preset(
        "pairs",
        "Figure 6, section 3.4",
        "Two languages, half and half, against the whole set in either.",
        "Random pairs of languages, half of the budget each, against each full monolingual set, scored on the"
        " other 10. Pairs generalised better.",
        (
            "Pairs are drawn so that no language is in two of them (size tiny: two pairs).",
            "The report leaves the pair's own languages out of its section on pairs, as the paper did; its"
            " averages by dose take them in.",
        ),
        ("How many pairs the paper drew, and which.",),
        designs.pairs,
    ),
    Preset(
        "family",
        "Figure 7, section 4.1",
        "Does tuning on one language of a family help its relatives most?",
        "7 Slavic languages (ru sr hr sl pl sk cs), each tuned on alone, each evaluated in all. No strong"
        " sign that script or mutual intelligibility matters.",
        (
            "Any branch that polypinch knows: --family. Only those of its languages that the pool has:"
            " pinch12 has two Slavic ones, which shows the machinery and no more.",
            _MATRIX,
        ),
        (),
        designs.family,
    ),
    Preset(
        "exposure",
        "Figure 8, section 4.2",
        "Does a language's share in pretraining tell how well tuning on it transfers?",
        "The share of each language in pretraining against its average transfer as the only tuning language:"
        " weak, Pearson r = 0.22.",
        (
            "The study is that of monolingual, and shares its work under one --store.",
            "Open models seldom tell their shares: the report takes proxies from the held-out responses (bits"
            " and tokens beside the base language's), and shares that polypinch report --exposure names.",
        ),
        (),
        designs.exposure,
    ),
    Preset(
        "tuned",
        "Figure 10",
        "What does tuning give at all, against the untuned base?",
        "Tuned models against the untuned base: large gains.",
        (
            "Each language alone and all evenly mixed, each against the untuned base in every language;"
            " above 50 is a gain.",
        ),
        ("Which of its tuned models the paper shows there is not in the notes this is made from.",),
        designs.tuned,
    ),
    Preset(
        "dose-ladder",
        "ours",
        "The smallest dose that works: 0, 5, 10, 20, 40 … examples, and round shares.",
        f"{_NOT_OF_PAPER} It tried nothing between 0 and 1 %, or between 1 and 10 %.",
        (
            _FIXED,
            "The pinch is in half of the languages, as in half. pinch-N counts examples, share-P is P % of"
            " the budget; a share that is a count there already is left out.",
        ),
        (),
        designs.dose_ladder,
    ),
    Preset(
        "replace-vs-add",
        "ours",
        "Does it matter that a dose takes the place of English examples?",
        f"{_NOT_OF_PAPER} It replaces English examples at a fixed size; much later work adds.",
        (
            _FIXED,
            "What is added also makes the mixture larger by the dose, and the tuning longer: the two are not"
            " told apart, which matters little while the dose is small.",
        ),
        (),
        designs.replace_vs_add,
    ),
    Preset(
        "parallel-vs-disjoint",
        "ours",
        "Translations of the same items, or other items: does parallel data matter?",
        f"{_NOT_OF_PAPER} Its data are fully parallel.",
        (_FIXED, "Needs more training items than the budget: the disjoint ones are not the base's."),
        (),
        designs.parallel_vs_disjoint,
    ),
    Preset(
        "techniques",
        "ours",
        "Does a dose work alike with another rank, full tuning, in two stages, or upsampled?",
        _NOT_OF_PAPER,
        (
            _FIXED,
            "Each rank, and full tuning, has the base language alone beside it; compare within a technique."
            " Full tuning needs memory for all weights: delete its two arms where there is not enough.",
            "-after tunes on the base first and on the dose after it, on one schedule, so at a lower learning"
            " rate; -4-times holds a fourth of the distinct rows, each four times.",
        ),
        (),
        designs.techniques,
    ),
    Preset(
        "seeds",
        "ours",
        "How far apart are runs that differ in nothing but the seed?",
        f"{_NOT_OF_PAPER} It reports one run for each point, without intervals.",
        (
            _FIXED,
            "Each seed selects other rows and tunes anew, so their spread holds both.",
            "5 seeds at size tiny, else 10.",
        ),
        (),
        designs.seeds,
    ),
)

PRESETS = {one.name: one for one in _ALL}


def preset(name: str) -> Preset:
    """Return an experiment by its name.

    Raises:
        PinchError: there is none of that name.
    """
    if name not in PRESETS:
        raise PinchError(f"no experiment {name!r}", fix=f"known: {', '.join(PRESETS)}")
    return PRESETS[name]
