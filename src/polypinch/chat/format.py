"""A model's chat format: conversations to token ids, with every assistant turn's span."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypinch.chat.encoded import Encoded, EncodedRows
from polypinch.chat.templates import BUILT_IN, choose
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.mix import Counter, TokenCount
from polypinch.models import Model, load_tokenizer
from polypinch.pool import Message, Messages

# Conversations tokenised in one call: the tokenizer spreads them over the cores.
_AT_ONCE = 64


class ChatFormat:
    """How one model writes conversations.

    Attributes:
        name: the template's origin: ``own``, ``gemma``, ``chatml``, ``llama3``, ``plain`` or ``file``.
        tokenizer: the model's tokenizer.
        template: the Jinja text.
        stop_ids: ids that end an answer.
    """

    def __init__(self, tokenizer: Any, template: str | None = None, name: str = "file") -> None:
        self.tokenizer = tokenizer
        self._kept: dict[bytes, int] | None = None
        self._kept_rows = EncodedRows()
        self._kept_prompts: dict[bytes, list[int]] | None = None
        if template is None:
            name, template = choose(tokenizer)
        self.name, self.template = name, template
        self._special = set(tokenizer.all_special_tokens) | {
            token.content for token in tokenizer.added_tokens_decoder.values() if token.special
        }
        # Some tokenizers hold thousands of special tokens, but of few lengths.
        self._special_lengths = sorted({len(token) for token in self._special if token}, reverse=True)
        self.stop_ids = self._stop_ids()
        self.pad_id = int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.stop_ids[0])

    @classmethod
    def load(cls, model: Model, template: str | None = None) -> ChatFormat:
        """Load a model's tokenizer and choose its template.

        Args:
            model: the model.
            template: a built-in template's name, or a path of a Jinja file; the default is the model's own.

        Raises:
            PinchError: there is no such template, or it does not work.
        """
        tokenizer = load_tokenizer(model)
        if template is None:
            return cls(tokenizer)
        if template in BUILT_IN:
            return cls(tokenizer, BUILT_IN[template], template)
        path = Path(template)
        if not path.is_file():
            raise PinchError(
                f"no chat template {template!r}", fix=f"name one of {', '.join(BUILT_IN)}, or a Jinja file"
            )
        return cls(tokenizer, path.read_text(encoding="utf-8"))

    @property
    def special(self) -> tuple[str, ...]:
        """The control tokens, which a text may hold and the tokenizer would read as such."""
        return tuple(sorted(token for token in self._special if token))

    @property
    def fingerprint(self) -> str:
        """64 hex digits that change when the template does."""
        return fingerprint({"template": self.template, "stop": list(self.stop_ids)})

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """Return a conversation's text.

        Raises:
            PinchError: the template refuses the messages.
        """
        try:
            text = self.tokenizer.apply_chat_template(
                list(messages),
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=generation_prompt,
            )
        except Exception as error:  # a template is a program of somebody else's: it may raise anything
            roles = ", ".join(message["role"] for message in messages)
            raise PinchError(
                f"the chat template ({self.name}) refuses a conversation of roles {roles}: {error}",
                fix="mend the row's roles, or name another template",
            ) from error
        return str(text)

    def _spans(self, messages: Sequence[Message], text: str) -> list[tuple[int, int]]:
        """Return the character span of each assistant turn, its end-of-turn token included."""
        spans = []
        for index, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            opening = self.render(messages[:index], generation_prompt=True)
            content = message["content"].strip()
            # Compared without trailing space: some templates end their prompt in one and trim it later.
            if not text.startswith(opening.rstrip()):
                raise PinchError(
                    f"the chat template ({self.name}) writes assistant turn {index + 1} differently once it"
                    " is answered, so its tokens cannot be told from the prompt's",
                    fix="name another template",
                )
            start = len(opening) if text.startswith(opening) else len(opening.rstrip())
            found = text.find(content, start)
            if found < 0:
                raise PinchError(
                    f"the chat template ({self.name}) changes the text of assistant turn {index + 1}",
                    fix="name another template",
                )
            spans.append((start, self._end_of_turn(text, found + len(content))))
        return spans

    def _end_of_turn(self, text: str, after: int) -> int:
        """Return where the special token ends that directly follows an answer, or ``after`` if none does."""
        start = after
        while start < len(text) and text[start].isspace():
            start += 1
        for length in self._special_lengths:
            if text[start : start + length] in self._special:
                return start + length
        return after

    def _stop_ids(self) -> tuple[int, ...]:
        probe: Messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
        text = self.render(probe)
        start, end = self._spans(probe, text)[0]
        closing = text[text.index("b", start) + 1 : end].strip()
        ids = [self.tokenizer.convert_tokens_to_ids(closing)] if closing in self._special else []
        if self.tokenizer.eos_token_id is not None:
            ids.append(self.tokenizer.eos_token_id)
        if not ids:
            raise PinchError(
                f"the chat template ({self.name}) has no end of turn, nor the tokenizer an end of text",
                fix="name another template",
            )
        return tuple(dict.fromkeys(int(token) for token in ids))

    def keep(self) -> None:
        """Remember what is encoded from now on, by its content, so that arms share it: 5 bytes a token."""
        if self._kept is None:
            self._kept, self._kept_prompts = {}, {}

    def _tokenise(self, texts: Sequence[str], offsets: bool) -> Any:
        # The template writes the BOS where the model wants one; a second would double it.
        bos = self.tokenizer.bos_token
        own_bos = bos is not None and texts[0].startswith(bos)
        return self.tokenizer(
            list(texts),
            add_special_tokens=not own_bos,
            return_offsets_mapping=offsets,
            return_attention_mask=False,
        )

    def encode(self, messages: Sequence[Message], max_length: int | None = None) -> Encoded:
        """Encode a whole conversation, with the mask of what is learnt; see :meth:`encode_each`."""
        return next(self.encode_each([messages], max_length))

    def encode_each(
        self, conversations: Sequence[Sequence[Message]], max_length: int | None = None
    ) -> Iterator[Encoded]:
        """Encode whole conversations, with the masks of what is learnt.

        Args:
            conversations: turns of each; all assistant turns are supervised.
            max_length: cut off what is beyond, in tokens.

        Yields:
            One for each, in order.

        Raises:
            PinchError: the template refuses a conversation or hides its answers; raised at its turn.
        """
        for start in range(0, len(conversations), _AT_ONCE):
            part = conversations[start : start + _AT_ONCE]
            found: list[Encoded | None] = [None] * len(part)
            marks: list[bytes] = []
            if self._kept is not None:
                marks = [_mark(messages) for messages in part]
                places = [self._kept.get(mark) for mark in marks]
                found = [None if place is None else self._kept_rows[place] for place in places]
            new = [index for index, one in enumerate(found) if one is None]
            error = self._encode_into(part, new, found)
            for index, one in enumerate(found):
                if one is None:
                    assert error is not None
                    raise error
                if self._kept is not None and marks[index] not in self._kept:
                    self._kept[marks[index]] = len(self._kept_rows)
                    self._kept_rows.append(one)
                yield one.cut(max_length)

    def _encode_into(
        self, part: Sequence[Sequence[Message]], new: Sequence[int], found: list[Encoded | None]
    ) -> PinchError | None:
        """Encode the conversations of ``new`` in one call, up to the first that cannot be."""
        rendered, failed = [], None
        for index in new:
            try:
                text = self.render(part[index])
                rendered.append((index, text, self._spans(part[index], text)))
            except PinchError as error:
                failed = error
                break
        if rendered:
            tokens = self._tokenise([text for _, text, _ in rendered], offsets=True)
            for (index, _, spans), ids, offsets in zip(
                rendered, tokens["input_ids"], tokens["offset_mapping"], strict=True
            ):
                found[index] = Encoded(ids, _supervised(spans, offsets), False)
        return failed

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Encode the turns that a model is to answer, up to and with the opening of its turn."""
        mark = _mark(messages) if self._kept_prompts is not None else b""
        if self._kept_prompts is not None and mark in self._kept_prompts:
            return list(self._kept_prompts[mark])
        text = self.render(messages, generation_prompt=True)
        ids = list(self._tokenise([text], offsets=False)["input_ids"][0])
        if self._kept_prompts is not None:
            self._kept_prompts[mark] = list(ids)
        return ids


def _mark(messages: Sequence[Message]) -> bytes:
    whole = hashlib.blake2b(digest_size=16)
    for message in messages:
        for text in (message["role"], message["content"]):
            raw = text.encode()
            whole.update(len(raw).to_bytes(8, "little"))
            whole.update(raw)
    return whole.digest()


def _supervised(
    spans: Sequence[tuple[int, int]], offsets: Sequence[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Return which tokens lie in a span of characters.

    A token that begins before an answer is the prompt's: at inference it is given.
    """
    left, right = np.asarray(offsets, np.int64).reshape(-1, 2).T
    inside = np.zeros(len(left), np.bool_)
    for start, end in spans:
        inside |= (left >= start) & (left < end)
    return inside & (right > left)


def count_tokens(chat: ChatFormat, max_length: int | None = None) -> Counter:
    """Return the counter that mixtures are measured with."""

    def counter(rows: Sequence[Messages]) -> Iterator[TokenCount]:
        for row in chat.encode_each(rows, max_length):
            yield TokenCount(len(row), row.supervised_tokens, row.truncated)

    return counter
