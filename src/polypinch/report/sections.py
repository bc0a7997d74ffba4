"""What the page says around each figure, in the page's order."""

from __future__ import annotations

from dataclasses import dataclass

from polypinch.report.data import ReportData
from polypinch.report.points import base_name, baseline, opponents, trained_unseen


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        anchor: its id, and the file name of its figure.
        heading: the question that it answers.
        lead: what is shown.
        reading: how to read the figure.
        missing: what to say where it was not measured.
        number: Python number format of its values in tables.
        warning: what must be known to read it rightly, or empty.
    """

    anchor: str
    heading: str
    lead: str
    reading: str
    missing: str
    number: str = ".3f"
    warning: str = ""


def sections(data: ReportData) -> list[Section]:
    """Return the page's sections."""
    base, against, opponent = base_name(data), baseline(data), opponents(data)
    mixed = trained_unseen(data)
    warning = (
        f"In {' and '.join(mixed)}, the languages outside the pinch were trained on too. There, their"
        " lines show tuning in the language itself, not transfer from others."
        if mixed
        else ""
    )
    leading = data.leading
    return [
        Section(
            "dose-response",
            "How much is enough?",
            "The dose on its own scale: what was measured at each, and two curves through it. One only never"
            f" {'rises' if leading.lower_is_better else 'falls'}; the other gains less and less with every"
            " example more.",
            "Filled points are doses told from none, hollow ones cannot be told; a dotted line marks the"
            " smallest that works. Where the curve is flat, more of the dose gains nothing more. An effect"
            " inside the grey band is no larger than what another training seed does by itself.",
            f"Needs {leading.title} at three doses or more, one of them none, in arms alike in all else.",
        ),
        Section(
            "loss-change-by-dose",
            "Does a pinch help the other languages?",
            "Held-out loss is how many bits the model needs for each byte of a good response it has never"
            f" seen. Here is how each dose changes it, against tuning on {base} alone.",
            f"Each point compares an arm with {against} on the same items, so what makes an item hard"
            " cancels out. Below the line the arm predicts responses better. A hollow mark cannot be told"
            " from no change. Thin lines are single languages.",
            "Not measured in this study: without reference responses, or without an arm that has no dose,"
            " there is no change of loss to show.",
            "+.4f",
            warning,
        ),
        Section(
            "mixtures",
            "What was in each pinch?",
            f"Every arm’s training examples, drawn to count: {base}, and what was put in its place or"
            " added to it.",
            "The table sets requested against delivered: what truncation, duplicates or missing"
            " translations took from a dose shows there.",
            "No mixtures are recorded in this study.",
        ),
        Section(
            "scores-by-dose",
            "Are the answers better?",
            f"Every answer compared with the one of {opponent}, in both orders: a win counts 1, a tie ½, a"
            " loss 0.",
            "50 is parity. An interval that holds 50 cannot be told from parity. The share of pairs whose"
            " winner changed with the order is in the CSV.",
            "Not measured in this study: no arm’s answers were compared with another’s.",
            ".1f",
            warning,
        ),
        Section(
            "fidelity-by-dose",
            "Do they answer in the language asked?",
            "A model tuned on one language may understand another and still answer in its own. Fidelity"
            " is the share of answers in the language of their prompt.",
            "One panel for each language and average, doses along the bottom, the untuned base a dash on"
            " the left; faint where there are fewer than 12 items. Answers too short to tell are left out and"
            " counted in the CSV.",
            "Not measured in this study: the language of the answers was not identified.",
            ".0%",
        ),
        Section(
            "loss-by-dose",
            "Where does each language stand?",
            "The loss itself. Languages start from different levels: a byte carries less in some scripts"
            " than in others, so compare slopes across panels, not heights.",
            "Whiskers here hold how much items differ, which all arms share, so they overlap even where"
            " the paired change further up is clear.",
            "Not measured in this study: the held-out items have no reference responses.",
        ),
        Section(
            "loss-change-heatmap",
            "Which language gains from which dose?",
            f"The paired change of held-out loss against {against}, language by language.",
            "Blue cells lost bits, which is better; orange ones gained. Below each value is its own 95 %"
            " interval. Faded cells cannot be told from 0, with all languages of the arm taken together"
            " (simultaneous intervals; in the CSV as low_together, high_together); averages stand for"
            " themselves.",
            "Not measured in this study.",
            "+.4f",
        ),
        Section(
            "scores-heatmap",
            "Which language’s answers get better?",
            "The scores again, language by language.",
            "Blue is above parity, orange below. Faded cells cannot be told from 50, with all languages of"
            " the arm taken together; averages stand for themselves.",
            "Not measured in this study.",
            ".1f",
        ),
    ]
