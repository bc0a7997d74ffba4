"""What a model thinks aloud before it answers, told from its answer."""

from __future__ import annotations

from typing import NamedTuple

TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
    ("<unused94>thought", "<unused95>"),
)
"""How models mark where a thought begins and ends."""

# OpenAI's harmony format names its channels; the second form is what is left where a server takes its control
# tokens away.
_CHANNELS = (
    ("<|channel|>analysis", "<|channel|>final<|message|>"),
    ("<|channel|>commentary", "<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"),
)
_FINAL = "<|channel|>final<|message|>"


class Said(NamedTuple):
    """A text, divided.

    Attributes:
        thought: what was thought aloud, without its marks; empty where nothing was.
        answer: the rest.
    """

    thought: str
    answer: str


def split_thought(text: str) -> Said:
    """Divide what a model wrote into thought and answer.

    A thought stands first, between marks (:data:`TAGS`, or harmony's channels). Where a chat template has
    opened it, the closing mark alone is there. One that never ends, as it was cut off, leaves no answer. A
    text without a thought is the answer as it is.
    """
    thoughts: list[str] = []
    rest = text
    while (cut := _leading(rest)) is not None:
        thoughts.append(cut.thought.strip())
        rest = cut.answer
    if not thoughts and (cut := _only_closed(rest)) is not None:
        thoughts, rest = [cut.thought.strip()], cut.answer
    if not thoughts and rest.lstrip().startswith(_FINAL):
        return Said("", rest.lstrip().removeprefix(_FINAL).strip())
    return Said("\n\n".join(filter(None, thoughts)), rest.strip()) if thoughts else Said("", text)


def answer_of(text: str) -> str:
    """Return a text without the thought that it begins with."""
    return split_thought(text).answer


def _leading(text: str) -> Said | None:
    start = text.lstrip()
    for opening, closing in TAGS:
        if start.startswith(opening):
            thought, _, answer = start.removeprefix(opening).partition(closing)
            return Said(thought, answer)
    for opening, closing in _CHANNELS:
        if start.startswith(opening) and (closing in start or opening.startswith("<")):
            thought, _, answer = start.removeprefix(opening).partition(closing)
            thought = thought.removeprefix("<|message|>").partition("<|end|>")[0]
            return Said(thought, answer)
    return None


def _only_closed(text: str) -> Said | None:
    """Divide at a closing mark that stands at the end of its line; amid a line it is spoken of, not used."""
    for opening, closing in TAGS:
        thought, mark, answer = text.partition(closing)
        if mark and opening not in thought and (not answer or answer[0] in "\r\n" or thought[-1:] == "\n"):
            return Said(thought, answer)
    return None
