"""A model's chat format: conversations to token ids, with every assistant turn's span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypinch.chat.templates import BUILT_IN, choose
from polypinch.errors import PinchError
from polypinch.files import fingerprint
from polypinch.mix.counts import TokenCount
from polypinch.models import Model, load_tokenizer
from polypinch.pool.table import Message, Messages


@dataclass(frozen=True)
class Encoded:
    """A conversation as tokens::

        <bos><start_of_turn>user\\nHi<end_of_turn>\\n<start_of_turn>model\\nHello!<end_of_turn>\\n
        ---------------------------- unsupervised ------------------------ [ supervised       ]

    Attributes:
        input_ids: n token ids.
        supervised: n flags: true on the tokens of every assistant turn and on its end-of-turn token.
        truncated: tokens were cut off at the end.
    """

    input_ids: list[int]
    supervised: list[bool]
    truncated: bool


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
        if template is None:
            name, template = choose(tokenizer)
        self.name, self.template = name, template
        self._special = set(tokenizer.all_special_tokens) | {
            token.content for token in tokenizer.added_tokens_decoder.values() if token.special
        }
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
        rest = text[after:]
        skipped = len(rest) - len(rest.lstrip())
        closing = [token for token in self._special if token and rest[skipped:].startswith(token)]
        return after + skipped + len(max(closing, key=len)) if closing else after

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

    def _tokenise(self, text: str) -> Any:
        # The template writes the BOS where the model wants one; a second would double it.
        own_bos = self.tokenizer.bos_token is not None and text.startswith(self.tokenizer.bos_token)
        return self.tokenizer(text, add_special_tokens=not own_bos, return_offsets_mapping=True)

    def encode(self, messages: Sequence[Message], max_length: int | None = None) -> Encoded:
        """Encode a whole conversation, with the mask of what is learnt.

        Args:
            messages: turns; all assistant turns are supervised.
            max_length: cut off what is beyond, in tokens.

        Raises:
            PinchError: the template refuses the messages or hides the answers.
        """
        text = self.render(messages)
        spans = self._spans(messages, text)
        tokens = self._tokenise(text)
        ids, offsets = list(tokens["input_ids"]), tokens["offset_mapping"]
        supervised = [False] * len(ids)
        position = 0
        for start, end in spans:
            for index in range(position, len(ids)):
                left, right = offsets[index]
                if left >= end:
                    break
                position = index
                # A token that begins before the answer is the prompt's: at inference it is given.
                if left >= start and right > left:
                    supervised[index] = True
        cut = max_length is not None and len(ids) > max_length
        return Encoded(ids[:max_length], supervised[:max_length], cut)

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Encode the turns that a model is to answer, up to and with the opening of its turn."""
        return list(self._tokenise(self.render(messages, generation_prompt=True))["input_ids"])


def count_tokens(
    chat: ChatFormat, max_length: int | None = None
) -> Callable[[Sequence[Messages]], list[TokenCount]]:
    """Return the counter that mixtures are measured with."""

    def counter(rows: Sequence[Messages]) -> list[TokenCount]:
        encoded = (chat.encode(messages, max_length) for messages in rows)
        return [TokenCount(len(row.input_ids), sum(row.supervised), row.truncated) for row in encoded]

    return counter
