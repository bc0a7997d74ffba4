"""Probing a base model: what each language costs its tokenizer, and how well it is predicted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polypinch.chat import Encoded
from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.models import Model, device, load_tokenizer
from polypinch.probe.result import LanguageProbe, Probe
from polypinch.probe.texts import Texts
from polypinch.stats import Array, Estimate, ratio_intervals
from polypinch.tune import Base, row_losses

LONGEST = 1024
"""Tokens of the longest text whose loss is taken; an item with a longer one is left out in all languages."""


def probe(model: Model, texts: Texts, *, tokenizer_only: bool = False, label: str | None = "probe") -> Probe:
    """Measure a base model on parallel texts, as plain text: no chat template is laid over them.

    The token premium is Petrov et al.'s (2023, arXiv 2305.15425) and Ahia et al.'s (2023, arXiv 2305.13707):
    a language's tokens over English's for the same contents. Bits per English byte are Cotterell et al.'s
    (2018, arXiv 1806.03743) bits per English character, in bytes: what the same contents cost in each
    language, in a unit that is the same for all. Totals over items are compared, as Mielke et al. (2019,
    arXiv 1906.04726) compare them; intervals resample the items.

    Args:
        model: the base model.
        texts: what to probe it with.
        tokenizer_only: count tokens and load no weights; exposure is then told by tokens.
        label: names the progress bar; ``None`` shows none.

    Raises:
        PinchError: the model cannot be read, has no token to begin a text with, or every item is too long.
    """
    tokenizer = load_tokenizer(model)
    keys = [(item, tag) for item in texts.items for tag in texts.languages if (item, tag) in texts.texts]
    ids = tokenizer([texts.texts[key] for key in keys], add_special_tokens=False, verbose=False)["input_ids"]
    nats: list[float] | None = None
    left_out: set[str] = set()
    if not tokenizer_only:
        base = Base(model).plain()
        longest = _longest(base)
        left_out = {item for (item, _), row in zip(keys, ids, strict=True) if len(row) >= longest}
        kept = [index for index, (item, _) in enumerate(keys) if item not in left_out]
        if not kept:
            raise PinchError(
                f"{texts.name}: every item has {longest} tokens or more in some language",
                fix="probe with shorter texts, such as sentences",
            )
        keys, ids = [keys[index] for index in kept], [ids[index] for index in kept]
        nats = _nats(base, tokenizer, ids, label)
    return _summary(model, texts, keys, [len(row) for row in ids], nats, len(left_out))


def _longest(base: Any) -> int:
    room = getattr(base.config.get_text_config(), "max_position_embeddings", None)
    return min(LONGEST, room or LONGEST)


def _nats(base: Any, tokenizer: Any, ids: list[list[int]], label: str | None) -> list[float]:
    """Return each text's cross-entropy, all of its tokens predicted, the first from a beginning token."""
    first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if first is None:
        raise PinchError(
            "the tokenizer has neither a beginning nor an end of text, so a text's first token has nothing to"
            " be predicted from",
            fix="--tokenizer-only counts tokens without the weights",
        )
    rows = [Encoded.of([first, *row], [False] + [True] * len(row)) for row in ids]
    return row_losses(base, rows, 8192 if device().type == "cuda" else 1024, label)


def _summary(
    model: Model,
    texts: Texts,
    keys: list[tuple[str, str]],
    tokens: list[int],
    nats: list[float] | None,
    left_out: int,
) -> Probe:
    present = {item for item, _ in keys}
    items = [item for item in texts.items if item in present]

    def laid_out(values: list[float]) -> Array:
        found = np.full((len(items), len(texts.languages)), np.nan)
        rows, columns = ({name: at for at, name in enumerate(names)} for names in (items, texts.languages))
        for (item, tag), value in zip(keys, values, strict=True):
            found[rows[item], columns[tag]] = value
        return found

    counts = laid_out([float(count) for count in tokens])
    characters = laid_out([float(len(texts.texts[key])) for key in keys])
    sizes = laid_out([float(len(texts.texts[key].encode())) for key in keys])
    bits = laid_out([value / math.log(2) for value in nats]) if nats is not None else None
    cost = counts if bits is None else bits
    columns: dict[str, list[Estimate] | None] = {
        "tokens_per_character": ratio_intervals(counts, characters),
        "token_premium": ratio_intervals(counts, _english(counts)),
        "bits_per_byte": None if bits is None else ratio_intervals(bits, sizes),
        "bits_per_english_byte": None if bits is None else ratio_intervals(bits, _english(sizes)),
        "exposure": ratio_intervals(_english(cost), cost),
    }
    rows = []
    for index, tag in enumerate(texts.languages):
        if not np.isfinite(counts[:, index]).any():
            continue
        known = language(tag)
        measured = {name: values[index] if values else None for name, values in columns.items()}
        rows.append(LanguageProbe(tag, known.name, known.script, known.family, **measured))  # type: ignore[arg-type]
    return Probe(
        model.name,
        model.fingerprint,
        texts.name,
        texts.fingerprint,
        len(items),
        left_out,
        "tokens" if nats is None else "bits",
        tuple(rows),
    )


def _english(values: Array) -> Array:
    """Return the first column, English's, in every column."""
    return np.repeat(values[:, :1], values.shape[1], axis=1)
