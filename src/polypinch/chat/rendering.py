"""Conversations as a chat template writes them, and where in that the answers are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from polypinch.chat.control import ControlTokens, spoken
from polypinch.conversation import Message, Messages
from polypinch.errors import PinchError

# What templates that write today's date are told it is, so that a study means the same tomorrow. Llama's own
# fall back on this day.
TODAY = datetime(2024, 7, 26)
# As a macro in the template itself, it holds wherever the template goes.
_DIRECTIVES = ("%-d", "%-m", *(f"%{letter}" for letter in "YymdBbAajHIMSpFDex"))
_PIN = (
    "{%- macro strftime_now(format) -%}{{ format"
    + "".join(f" | replace('{one}', '{TODAY.strftime(one).strip()}')" for one in _DIRECTIVES)
    + " }}{%- endmacro -%}"
)


class Span(NamedTuple):
    """Where an assistant turn is learnt: characters from ``start`` up to ``end``, its end included."""

    start: int
    end: int


class Rendering:
    """A chat template at work.

    An answer's place is found by writing the conversation up to it with a stand-in for the answer. So what is
    learnt is what the template makes of the answer, wherever else its words stand; and a prompt is what the
    template writes *before* an answer, its empty thoughts and headers included, whether or not it knows of
    generation prompts.

    Attributes:
        name: the template's origin.
        template: the Jinja text, a date that it writes pinned.
        control: the control tokens.
        is_dated: the template writes a date; it is :data:`TODAY`, always.
    """

    def __init__(self, tokenizer: Any, template: str, name: str) -> None:
        self._tokenizer = tokenizer
        self.is_dated = "strftime_now" in template
        self.template, self.name = (_PIN if self.is_dated else "") + template, name
        self.control = ControlTokens(tokenizer, template)
        self._off = {name: False for name in ("enable_thinking", "thinking") if name in template}

    @cached_property
    def drops_system(self) -> bool:
        """Whether the template leaves a system turn out without a word."""
        stand_in = _stand_in([])
        try:
            text = self.render(
                [
                    {"role": "system", "content": stand_in},
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "b"},
                ]
            )
        except PinchError:
            return False  # it says so itself
        return stand_in not in text

    def render(
        self, messages: Sequence[Message], *, generation_prompt: bool = False, thinking: bool = False
    ) -> str:
        """Return a conversation's text.

        Args:
            messages: the turns.
            generation_prompt: open the next answer as the template does.
            thinking: leave the template its own choice of whether that answer begins with a thought.

        Raises:
            PinchError: the template refuses the messages.
        """
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=generation_prompt,
                **({} if thinking else self._off),
            )
        except Exception as error:  # a template is a program of somebody else's: it may raise anything
            roles = ", ".join(message["role"] for message in messages)
            raise PinchError(
                f"the chat template ({self.name}) refuses a conversation of roles {roles}: {error}",
                fix="mend the row's roles, or name another template",
            ) from error
        return str(text)

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return what stands before the answer to a conversation, without a space just before it.

        Raises:
            PinchError: the template refuses the messages, or changes the answer's text.
        """
        stand_in = _stand_in(messages)
        text = self.render([*messages, {"role": "assistant", "content": stand_in}])
        return text[: self._place(text, stand_in, len(messages))].rstrip(" ")

    def spans(self, messages: Sequence[Message], text: str) -> list[Span]:
        """Return where the assistant turns of a rendered conversation are.

        Raises:
            PinchError: the template changes an answer's text, or writes what is before it differently once it
                is answered.
        """
        spans = []
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            start = self._start(messages, index, text)
            at = start
            while at < len(text) and text[at].isspace():
                at += 1
            content = message["content"].strip()
            if not text.startswith(content, at):
                # The thought before it may have been left out, or rewritten.
                content = spoken(message).strip()
            if not text.startswith(content, at):
                raise self._changes(index)
            spans.append(Span(start, self.end_of_turn(text, at + len(content))))
        return spans

    def _start(self, messages: Sequence[Message], index: int, text: str) -> int:
        prompt = self.prompt(messages[:index])
        if text.startswith(prompt):
            place = len(prompt)
            if text.startswith(spoken(messages[index]).strip(), _after_space(text, place)):
                return place
        # Some write an answer's header differently once others follow it, or once it brings a thought.
        opening = self.render(messages[:index], generation_prompt=True, thinking=True)
        if not text.startswith(opening.rstrip()):
            raise PinchError(
                f"the chat template ({self.name}) writes assistant turn {index + 1} differently once it"
                " is answered, so its tokens cannot be told from the prompt's",
                fix="name another template",
            )
        if text.startswith(messages[index]["content"].strip(), _after_space(text, len(opening.rstrip()))):
            return len(opening) if text.startswith(opening) else len(opening.rstrip())
        stand_in = _stand_in(messages)
        standing = list(messages)
        answer = spoken(messages[index])
        head = messages[index]["content"].removesuffix(answer)
        standing[index] = {**messages[index], "content": head + stand_in}
        before = self.render(standing)
        place = self._place(before, stand_in, index)
        if before[:place] != text[:place]:
            raise self._changes(index)
        return place

    def _place(self, text: str, stand_in: str, index: int) -> int:
        place = text.rfind(stand_in)
        if place < 0:
            raise self._changes(index)
        return place

    def _changes(self, index: int) -> PinchError:
        return PinchError(
            f"the chat template ({self.name}) changes the text of assistant turn {index + 1}",
            fix="name another template",
        )

    def end_of_turn(self, text: str, after: int) -> int:
        """Return where the control token ends that directly follows an answer, or ``after`` if none does."""
        start = _after_space(text, after)
        token = self.control.at(text, start)
        return after if token is None else start + len(token)

    def closings(self) -> list[str]:
        """Return the control tokens that close an answer: the last of a conversation, and one before it."""
        probe: Messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        closings = []
        for messages in (probe, probe + probe):
            try:
                text = self.render(messages)
                spans = self.spans(messages, text)
            except PinchError:
                if messages is probe:
                    raise
                continue  # made for one answer alone
            for start, end in spans:
                closings.append(text[text.index("b", start) + 1 : end].strip())
        return [closing for closing in dict.fromkeys(closings) if closing in self.control.all]


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _stand_in(messages: Sequence[Message]) -> str:
    """Return a word that no message holds."""
    everything = "".join(message["content"] for message in messages)
    number = 0
    while (word := f"Pinch{number}Answer") in everything:
        number += 1
    return word
