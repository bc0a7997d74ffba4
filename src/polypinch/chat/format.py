"""A model's chat format: conversations to token ids, with every assistant turn's span."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import GenerationConfig

from polypinch.chat.encoded import Encoded, EncodedRows
from polypinch.chat.rendering import Rendering, Span
from polypinch.chat.templates import choose, marked, named
from polypinch.conversation import Message, Messages
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.mix import Counter, TokenCount, TrainerFormat
from polypinch.models import Model, context_length, load_tokenizer, vocabulary_size
from polypinch.thoughts import Said, split_thought

# Conversations tokenised in one call: the tokenizer spreads them over the cores.
_AT_ONCE = 64


class ChatFormat:
    """How one model writes conversations.

    Attributes:
        name: the template's origin: ``own``, ``gemma``, ``chatml``, ``llama3``, ``plain`` or ``file``.
        tokenizer: the model's tokenizer.
        template: the Jinja text.
        stop_ids: ids that end an answer.
        limit: the model has embeddings for ids below; ``None`` where that is not known.
        context: tokens that the model takes in; ``None`` where that is not known.
        rendering: the template at work.
        control: the format's control tokens.
    """

    def __init__(
        self,
        tokenizer: Any,
        template: str | None = None,
        name: str = "file",
        limit: int | None = None,
        context: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.limit, self.context = limit, context
        self._kept: dict[bytes, int] | None = None
        self._kept_rows = EncodedRows()
        self._kept_prompts: dict[bytes, list[int]] | None = None
        if template is None:
            name, template = choose(tokenizer)
        self.name, self.template = name, template.removeprefix("\ufeff")
        self.rendering = Rendering(tokenizer, self.template, self.name)
        self.control = self.rendering.control
        self._lead = _lead(tokenizer)
        self.stop_ids = self._stop_ids()
        pad = tokenizer.pad_token_id
        usable = pad is not None and (limit is None or pad < limit)
        self.pad_id = int(pad) if usable else self.stop_ids[0]

    @classmethod
    def load(cls, model: Model, template: str | None = None) -> ChatFormat:
        """Load a model's tokenizer and choose its template.

        Args:
            model: the model.
            template: a built-in template's name, that of one of several which the model brings, or a path
                of a Jinja file; the default is the model's own.

        Raises:
            PinchError: there is no such template, or it does not work with this model.
        """
        tokenizer = load_tokenizer(model)
        return cls._tried(
            model, tokenizer, *(choose(tokenizer) if template is None else named(tokenizer, template))
        )

    @classmethod
    def of_tuned(cls, model: Model, name: str, template: str) -> ChatFormat:
        """Load the format that a model was tuned in, as its summary says it (``chat_template``).

        Raises:
            PinchError: it does not work with this model.
        """
        return cls._tried(model, load_tokenizer(model), name, template)

    @classmethod
    def _tried(cls, model: Model, tokenizer: Any, name: str, template: str) -> ChatFormat:
        chat = cls(tokenizer, template, name, vocabulary_size(model), context_length(model))
        chat.try_out()
        return chat

    def try_out(self) -> None:
        """Encode a few answers and their prompts as they will be in training and answering.

        Raises:
            PinchError: a prompt is not the beginning of its row, an answer's end is not learnt, or a token
                that is used has no embedding.
        """
        for answer in ("b", "Ja, 7.", "是的。", "И да", "نعم"):
            messages: Messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": answer}]
            row, prompt = self.encode(messages), self.encode_prompt(messages[:-1])
            if row.input_ids[: len(prompt)].tolist() != prompt or not row.supervised[len(prompt) :].any():
                raise PinchError(
                    f"the chat template ({self.name}): the tokens of a prompt are not the beginning of those"
                    f" of the prompt and its answer {answer!r}",
                    fix="name another template",
                )
        self._check_ids([*self.stop_ids, self.pad_id])

    @property
    def special(self) -> tuple[str, ...]:
        """The control tokens, which a text may hold and the tokenizer would read as such."""
        return tuple(sorted(self.control.all))

    @property
    def fingerprint(self) -> str:
        """64 hex digits that change when the template does."""
        return fingerprint({"template": self.template, "stop": list(self.stop_ids)})

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """Return a conversation's text.

        Raises:
            PinchError: the template refuses the messages.
        """
        return self.rendering.render(messages, generation_prompt=generation_prompt)

    def _stop_ids(self) -> tuple[int, ...]:
        ids = [self.tokenizer.convert_tokens_to_ids(token) for token in self.rendering.closings()]
        if self.tokenizer.eos_token_id is not None:
            ids.append(self.tokenizer.eos_token_id)
        if not ids:
            raise PinchError(
                f"the chat template ({self.name}) has no end of turn, nor the tokenizer an end of text",
                fix="name another template",
            )
        return tuple(dict.fromkeys(int(token) for token in ids))

    def save(self, folder: Path) -> None:
        """Write the tokenizer with this chat template, and generation settings that end where a turn does.

        Whatever loads a model or an adapter from the folder then speaks in this format.
        """
        own = self.tokenizer.chat_template
        self.tokenizer.chat_template = self.rendering.template
        try:
            self.tokenizer.save_pretrained(folder)
        finally:
            self.tokenizer.chat_template = own
        GenerationConfig(eos_token_id=list(self.stop_ids), pad_token_id=self.pad_id).save_pretrained(folder)

    def for_trainers(self) -> TrainerFormat:
        """Return what other trainers need to train in this format."""
        ends = self.rendering.closings() or [self.tokenizer.eos_token]
        template = self.rendering.template
        return TrainerFormat(self.name, template, marked(template), tuple(ends))

    def keep(self) -> None:
        """Remember what is encoded from now on, by its content, so that arms share it: 5 bytes a token."""
        if self._kept is None:
            self._kept, self._kept_prompts = {}, {}

    def _tokenise(self, texts: Sequence[str]) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
        """Yield the ids of each text, and the characters of each id.

        What a tokenizer writes before a text is written where the template has not written it; what it writes
        after one (some end every text) is not: an answer is still to come.
        """
        tokens = self.tokenizer(
            list(texts), add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False
        )
        bos = self.tokenizer.bos_token
        for text, ids, offsets in zip(texts, tokens["input_ids"], tokens["offset_mapping"], strict=True):
            led = (bool(bos) and text.startswith(bos)) or ids[: len(self._lead)] == self._lead
            lead = [] if led else self._lead
            self._check_ids(ids)
            yield [*lead, *ids], [(0, 0)] * len(lead) + offsets

    def _tokenise_broken(self, text: str, mark: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the ids of a text in which a mark breaks control tokens, and their characters in it."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        begin = 0
        for piece in text.split(mark):
            if not begin:
                piece_ids, piece_offsets = next(self._tokenise([piece]))
                shift = 0
            else:
                # Some tokenizers write a space before a text: a line break before it takes it, and is let go.
                tokens = self.tokenizer("\n" + piece, add_special_tokens=False, return_offsets_mapping=True)
                own = [n for n, (_, end) in enumerate(tokens["offset_mapping"]) if end > 1]
                piece_ids = [tokens["input_ids"][n] for n in own]
                piece_offsets = [tokens["offset_mapping"][n] for n in own]
                self._check_ids(piece_ids)
                shift = begin - 1
            ids += piece_ids
            offsets += [(left + shift, right + shift) for left, right in piece_offsets]
            begin += len(piece) + len(mark)
        return ids, offsets

    def _check_ids(self, ids: Sequence[int]) -> None:
        if self.limit is None or not ids or max(ids) < self.limit:
            return
        token = self.tokenizer.convert_ids_to_tokens(max(ids))
        raise PinchError(
            f"token {token!r} has id {max(ids)}, and the model's embedding has {self.limit} rows:"
            " token ids >= rows of the embedding cannot be read",
            fix="model.resize_token_embeddings(len(tokenizer)) and save it, or name another chat template",
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
        rendered: list[tuple[int, str, list[Span]]] = []
        try:
            for index in new:
                messages, mark = self.control.broken(list(part[index]))
                text = self.rendering.render(messages)
                spans = self.rendering.spans(messages, text)
                if mark is None:
                    rendered.append((index, text, spans))
                else:
                    ids, offsets = self._tokenise_broken(text, mark)
                    found[index] = Encoded.of(ids, _supervised(spans, offsets).tolist())
        except PinchError as error:
            failed: PinchError | None = error
        else:
            failed = None
        tokens = self._tokenise([text for _, text, _ in rendered]) if rendered else ()
        try:
            for (index, _, spans), (ids, offsets) in zip(rendered, tokens, strict=True):
                found[index] = Encoded(np.asarray(ids, np.int32), _supervised(spans, offsets), False)
        except PinchError as error:
            return error
        return failed

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Encode the turns that a model is to answer, up to where its answer begins."""
        key = _mark(messages) if self._kept_prompts is not None else b""
        if self._kept_prompts is not None and key in self._kept_prompts:
            return list(self._kept_prompts[key])
        broken, mark = self.control.broken(list(messages))
        text = self.rendering.prompt(broken)
        ids, _ = next(self._tokenise([text])) if mark is None else self._tokenise_broken(text, mark)
        if self._kept_prompts is not None:
            self._kept_prompts[key] = list(ids)
        return list(ids)

    def decode(self, tokens: Sequence[int]) -> Said:
        """Return what drawn tokens say, control tokens left out, a thought told from the answer."""
        whole = self.tokenizer.decode(tokens)
        said = split_thought(whole)
        if said.answer == whole:
            return Said("", self.tokenizer.decode(tokens, skip_special_tokens=True).strip())
        # What marks a thought may be a control token, so the others can be taken away only now.
        return Said(self._without_special(said.thought), self._without_special(said.answer))

    def _without_special(self, text: str) -> str:
        for token in self.tokenizer.all_special_tokens:
            text = text.replace(token, "")
        return text.strip()


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


def _lead(tokenizer: Any) -> list[int]:
    """Return the ids that a tokenizer writes before any text."""
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    lead = next((n for n in range(len(whole)) if whole[n : n + len(bare)] == bare), 0)
    return list(whole[:lead])
