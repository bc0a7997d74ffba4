"""Language identification by py3langid, helped by the script, abstaining where it would guess."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from polypinch.errors import PinchError
from polypinch.fidelity.cleaning import clean
from polypinch.fidelity.han import chinese_script, without_kana
from polypinch.fidelity.scripts import (
    dominant_script,
    known_codes,
    known_scripts,
    scripts_asked,
    scripts_of,
)
from polypinch.languages import language

LEAST_CONFIDENCE = 0.5
LEAST_ALONE, CLEAR_LEAD = 0.3, 2.0
"""A language under the confidence is told too, from this on, if it is so many times as likely as the next."""
LEAST_LETTERS = 4
_DENSE = ("CJK", "KANA", "HANGUL")
_LEAST_DENSE_LETTERS = 2
_NO_LANGUAGE = "zxx"

# py3langid tells these varieties from the language whose tag people give them; an open choice does not.
_VARIETY_OF = {"arz": "ar", "ary": "ar", "uzs": "uz", "wuu": "zh", "hbo": "he", "nn": "no"}


@lru_cache(maxsize=1)
def _open_model() -> Any:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    """Return py3langid's label of each primary language that it knows (``fil`` -> ``tl``)."""
    known = {
        language(label, literal=True).tag: label for label in _open_model().labels if label != _NO_LANGUAGE
    }
    return {"nb": known["no"], **known}


class Identifier:
    """Tells which language a text is in, and in which of its scripts.

    Args:
        candidates: tags to choose among; ``None`` for every language that py3langid knows. A text in a
            script that no candidate uses is named from all of them: Thai is never called Arabic.

    Raises:
        PinchError: a candidate is no language, is not known to py3langid (in the script it names), or is the
            same primary language as another, in the same script.
    """

    def __init__(self, candidates: Sequence[str] | None = None) -> None:
        tags = [language(tag).tag for tag in candidates] if candidates is not None else sorted(_labels())
        self._tags: dict[str, tuple[str, ...]] = {}
        for tag in dict.fromkeys(tags):
            label = _label(tag)
            twin = next((t for t in self._tags.get(label, ()) if scripts_asked(t) == scripts_asked(tag)), "")
            if candidates is not None and twin:
                raise PinchError(
                    f"{twin} and {tag} cannot be told apart by language identification",
                    fix=f"name one of them among the candidates; both count as {tag.split('-')[0]}",
                )
            self._tags[label] = (*self._tags.get(label, ()), tag)
        if candidates is None:
            self._tags = {
                label: (language(_VARIETY_OF.get(label, label), literal=True).tag,) for label in self._tags
            }
        if not self._tags:
            raise PinchError("no candidate languages", fix="name at least one, or leave the choice open")
        self._model = copy.copy(_open_model())
        self._model.set_languages([*self._tags, _NO_LANGUAGE])
        self._open = None if candidates is None else _any_language()
        self.identify_clean = lru_cache(maxsize=65536)(self._identify_clean)

    def identify(self, text: str) -> tuple[str | None, float]:
        """Identify a text's language, code, formulas, URLs and markup left out.

        Returns:
            (tag, confidence): the probability of the language among the candidates of the text's script;
            where only one is left, that script's share of the letters. A tag names its script where it is
            not the usual one, or not the one a candidate names (``sr-Latn``, ``zh-Hant``). (None, confidence)
            where the text is too short, too mixed or no language to tell.
        """
        return self.identify_clean(clean(text))

    def expected(self, tag: str) -> frozenset[str]:
        """Return the tags that :meth:`identify` may give to texts in this language and script.

        (``nb`` may become ``no``; ``sr``, which names no script, is ``sr`` or ``sr-Latn``.)

        Raises:
            PinchError: it is no language, unknown to py3langid, or not among the candidates.
        """
        tag = language(tag).tag
        label = _label(tag)
        if label not in self._tags:
            there = sorted(tag for tags in self._tags.values() for tag in tags)
            raise PinchError(
                f"language {tag} is not among the candidates {', '.join(there)}",
                fix=f"add {tag} to the candidates",
            )
        asked = scripts_asked(tag)
        names = {self._name(label, code) for code in (asked if len(asked) == 1 else (*asked, None))}
        return frozenset(name for name in names if name is not None)

    def _identify_clean(self, text: str) -> tuple[str | None, float]:
        script, share, letters = dominant_script(text)
        if script is None or letters < (_LEAST_DENSE_LETTERS if script in _DENSE else LEAST_LETTERS):
            return None, 0.0
        if not any(script in scripts_of(tag) for tags in self._tags.values() for tag in tags):
            return self._open.identify_clean(text) if self._open is not None else (None, 0.0)
        labels = [label for label in self._tags if known_codes(label, script)]
        if script == "CJK":  # the kana that is left here is quoted, and would speak for Japanese
            text = without_kana(text)
        names = {label: self._name(label, _code(label, script, text)) for label in labels}
        if len(labels) == 1 and script != "LATIN":  # Latin letters may be code, names or no language at all
            return (names[labels[0]], share) if share >= LEAST_CONFIDENCE else (None, share)
        return self._rank(text, names)

    def _name(self, label: str, code: str | None) -> str | None:
        """Name a label's texts in one script; without a code it could not be told which."""
        tags = sorted(self._tags[label], key=lambda tag: len(scripts_asked(tag)))
        if code is None:
            return next((tag for tag in tags if len(scripts_asked(tag)) > 1), None)
        for tag in tags:
            if scripts_asked(tag) == {code} or (code in scripts_asked(tag) and language(tag).script == code):
                return tag
        return language(f"{tags[0].split('-')[0]}-{code}", literal=True).tag

    def _rank(self, text: str, names: Mapping[str, str | None]) -> tuple[str | None, float]:
        """Return the likeliest tag, its varieties' probabilities added to its own."""
        weights: dict[str | None, float] = {}
        for label, probability in self._model.rank(text):
            if label in names or label == _NO_LANGUAGE:
                tag = names.get(label)
                weights[tag] = weights.get(tag, 0.0) + probability
        total = sum(weights.values())
        if not total:
            return None, 0.0
        best, *others = sorted(weights, key=lambda tag: -weights[tag])
        confidence = weights[best] / total
        clear = confidence >= LEAST_CONFIDENCE or (
            confidence >= LEAST_ALONE and all(weights[best] >= CLEAR_LEAD * weights[tag] for tag in others)
        )
        return (best, confidence) if clear else (None, confidence)


@lru_cache(maxsize=1)
def _any_language() -> Identifier:
    return Identifier(None)


def _code(label: str, script: str, text: str) -> str | None:
    codes = known_codes(label, script)
    return chinese_script(text) if codes == {"Hans", "Hant"} else min(codes, default=None)


def _label(tag: str) -> str:
    label = _labels().get(tag) or _labels().get(tag.split("-", maxsplit=1)[0])
    if label is None:
        raise PinchError(
            f"language identification does not know {tag} ({language(tag).name})",
            fix="leave its rows out; known: " + " ".join(sorted(_labels())),
        )
    if cannot_be_told(tag):
        known = " and ".join(sorted(known_scripts(label)))
        raise PinchError(
            f"language identification cannot tell {tag}: it knows {language(label, literal=True).name} "
            f"in {known} only, not in {', '.join(scripts_asked(tag))}",
            fix="leave its rows out",
        )
    return label


def cannot_be_told(tag: str) -> bool:
    """Tell whether a tag asks for a script in which its language is not known (``hi-Latn``)."""
    label = _labels().get(tag) or _labels().get(tag.split("-", maxsplit=1)[0])
    return label is not None and not scripts_asked(tag) <= known_scripts(label)
