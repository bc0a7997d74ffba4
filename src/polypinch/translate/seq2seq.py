"""Translations by sequence-to-sequence models in this process: NLLB, MADLAD, Marian, by transformers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import langcodes
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.models import Model, choose_dtype, device, find_model, loads_pickles
from polypinch.translate.pieces import translated
from polypinch.translate.tries import Try
from polypinch.translate.wanted import Wanted

LANGUAGE = "{language}"
"""In a translator's name: the target's tag. Marian models are of one pair each."""

_BATCH = 16
# A second and a third try have to come out differently: these models draw nothing.
_BEAMS = (4, 1, 8)
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my", "yue"})
# Macrolanguages whose texts in NLLB go by the code of one of theirs.
_OF_MACRO = {
    "ara": "arb", "aze": "azj", "fas": "pes", "fil": "tgl", "kur": "kmr", "lav": "lvs", "mlg": "plt",
    "mon": "khk", "msa": "zsm", "nep": "npi", "nor": "nob", "ori": "ory", "orm": "gaz", "pus": "pbt",
    "que": "quy", "sqi": "als", "swa": "swh", "uzb": "uzn", "yid": "ydd",
}  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """A model, ready.

    Attributes:
        model: on its device.
        tokenizer: its own.
        prefix: what stands before every source, for models that are told the target so.
        first: the token that every translation begins with, or ``None``.
    """

    model: Any
    tokenizer: Any
    prefix: str = ""
    first: int | None = None

    def translate(self, sentences: Sequence[str], beams: int) -> list[str]:
        """Translate sentences.

        Args:
            sentences: any number.
            beams: of the search.
        """
        made: list[str] = []
        for start in range(0, len(sentences), _BATCH):
            texts = [self.prefix + text for text in sentences[start : start + _BATCH]]
            inputs = self.tokenizer(texts, return_tensors="pt", padding=True, truncation=True).to(
                self.model.device
            )
            inputs.pop("token_type_ids", None)
            longest = 2 * int(inputs["input_ids"].shape[1]) + 16
            told = {} if self.first is None else {"forced_bos_token_id": self.first}
            with torch.inference_mode():
                ids = self.model.generate(
                    **inputs,
                    num_beams=beams,
                    do_sample=False,
                    max_new_tokens=longest,
                    max_length=None,
                    **told,
                )
            made += self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return made


class LocalTranslator:
    """A model in this process, turn by turn and sentence by sentence.

    Attributes:
        name: as the rows' record names it.
    """

    def __init__(self, name: str, source: str) -> None:
        """Name a model; it is loaded with the first row.

        Args:
            name: a folder or a Hub id; with ``{language}`` in it, one for each target.
            source: the language of what is translated.
        """
        self.name = name
        self._source = language(source).tag
        self._models: dict[str, Model] = {}
        self._loaded: dict[str, Loaded] = {}
        self._tried: dict[tuple[str, str], int] = {}

    def find(self, tags: Sequence[str]) -> None:
        """Find the models of some targets, before any row is translated.

        Raises:
            PinchError: one is not there, or does not speak a language.
        """
        for tag in tags:
            self._models[tag] = find_model(self.name.replace(LANGUAGE, tag))
            load_language(self._models[tag], self._source, tag, weights=False)

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """Let the models go."""
        self._loaded.clear()

    def most(self, row: Wanted) -> float:
        """Return what one try may cost: nothing."""
        return 0.0

    async def translate(self, row: Wanted, doubts: Sequence[str] = ()) -> Try:
        """Translate every turn; a later try searches otherwise.

        Raises:
            PinchError: the model cannot be had, or does not speak the language.
        """
        return await asyncio.to_thread(self._translate, row)

    def _translate(self, row: Wanted) -> Try:
        key = (row.item_id, row.language)
        place = self._tried.get(key, 0)
        self._tried[key] = place + 1
        loaded = self._of(row.language)
        beams = _BEAMS[place % len(_BEAMS)]
        spaced = row.language.partition("-")[0] not in _UNSPACED
        turns = tuple(
            translated(message["content"], lambda texts: loaded.translate(texts, beams), spaced)
            for message in row.messages
        )
        return Try(row.item_id, row.language, turns, translator=self.name)

    def _of(self, tag: str) -> Loaded:
        if tag not in self._loaded:
            if LANGUAGE in self.name:
                self._loaded.clear()  # one at a time
            model = self._models.get(tag) or find_model(self.name.replace(LANGUAGE, tag))
            self._loaded[tag] = load_language(
                model, self._source, tag, shared=next(iter(self._loaded.values()), None)
            )
        return self._loaded[tag]


def load_language(
    model: Model, source: str, target: str, *, weights: bool = True, shared: Loaded | None = None
) -> Loaded:
    """Load a model for one pair of languages.

    Args:
        model: found.
        source: tag of the texts.
        target: tag of their translations.
        weights: load them; else only see whether the model speaks the languages.
        shared: the same model, loaded for another pair: its weights are taken.

    Raises:
        PinchError: it is no sequence-to-sequence model, lacks a package, or does not speak a language.
    """
    config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=False)
    if not getattr(config, "is_encoder_decoder", False):
        raise PinchError(
            f"{model.name} is no sequence-to-sequence model ({config.model_type})",
            fix="NLLB, MADLAD or Marian; a chat model translates behind a server: --translator http://…/v1",
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model.path, revision=model.revision, trust_remote_code=False
        )
    except (ImportError, OSError, ValueError) as error:
        raise PinchError(
            f"{model.name}: its tokenizer cannot be loaded: {str(error).strip().splitlines()[0]}",
            fix='pip install "polypinch[translate]"',
        ) from error
    prefix, first = _spoken(tokenizer, config, model.name, source, target)
    loaded: Any = None
    if weights:
        loaded = shared.model if shared is not None else _weights(model)
    return Loaded(loaded, tokenizer, prefix, first)


def _weights(model: Model) -> Any:
    loaded = AutoModelForSeq2SeqLM.from_pretrained(
        model.path,
        revision=model.revision,
        trust_remote_code=False,
        use_safetensors=None if loads_pickles() else True,
        dtype=choose_dtype("auto"),
    )
    return loaded.to(device()).eval()


def _spoken(tokenizer: Any, config: Any, name: str, source: str, target: str) -> tuple[str, int | None]:
    """Tell the tokenizer the source; return how the model is told the target."""
    vocabulary = tokenizer.get_vocab()

    def known(tag: str, forms: Callable[[str], list[str]]) -> str | None:
        return next((form for form in forms(tag) if form in vocabulary), None)

    if config.model_type == "marian":
        return _of_marian(tokenizer, name, source, target, known), None
    if config.model_type in ("t5", "mt5", "umt5"):
        token = known(target, lambda tag: [f"<2{form}>" for form in _forms(tag)])
        if token is None:
            raise _unspoken(name, target)
        return f"{token} ", None
    codes = [known(tag, _codes) for tag in (source, target)]
    for code, tag in zip(codes, (source, target), strict=True):
        if code is None:
            raise _unspoken(name, tag)
    tokenizer.src_lang = str(codes[0]).strip("_") if str(codes[0]).startswith("__") else codes[0]
    return "", int(vocabulary[codes[1]])


def _of_marian(
    tokenizer: Any,
    name: str,
    source: str,
    target: str,
    known: Callable[[str, Callable[[str], list[str]]], str | None],
) -> str:
    several = [token for token in tokenizer.get_vocab() if token.startswith(">>") and token.endswith("<<")]
    if several:
        token = known(target, lambda tag: [f">>{form}<<" for form in (*_codes(tag), *_forms(tag))])
        if token is None:
            raise _unspoken(name, target)
        return f"{token} "
    for side, tag in (("source_lang", source), ("target_lang", target)):
        own = getattr(tokenizer, side, None)
        if own and language(own).tag.partition("-")[0] != tag.partition("-")[0]:
            raise PinchError(
                f"{name} translates from {tokenizer.source_lang} into {tokenizer.target_lang}, not {tag}",
                fix=f"a Marian model is of one pair: name them with {LANGUAGE} in the place of the"
                " target's tag",
            )
    return ""


def _forms(tag: str) -> list[str]:
    """Return a tag as two- and three-letter models write it, the fullest first."""
    parsed = langcodes.Language.get(tag)
    return [tag, tag.replace("-", "_"), parsed.language or tag, parsed.to_alpha3()]


def _codes(tag: str) -> list[str]:
    """Return a tag as NLLB (``deu_Latn``), M2M100 (``__de__``) and mBART (``de_DE``) write it."""
    parsed = langcodes.Language.get(tag).maximize()
    alpha3 = parsed.to_alpha3()
    flores = [f"{code}_{parsed.script}" for code in (_OF_MACRO.get(alpha3, alpha3), alpha3)]
    return [
        *flores,
        f"__{parsed.language}__",
        f"{parsed.language}_{parsed.territory}",
        f"{parsed.language}_XX",
        alpha3,
    ]


def _unspoken(name: str, tag: str) -> PinchError:
    return PinchError(f"{name} does not speak {language(tag).name} ({tag})", fix="another --translator")
