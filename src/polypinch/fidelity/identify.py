"""Language identification by py3langid, helped by the script, abstaining where it would guess."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from polypinch.errors import PinchError
from polypinch.fidelity.cleaning import clean
from polypinch.fidelity.scripts import dominant_script, scripts_of
from polypinch.languages import language

LEAST_CONFIDENCE = 0.5
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
    """Tells which language a text is in.

    Args:
        candidates: tags to choose among; ``None`` for every language that py3langid knows. A text in a
            script that no candidate uses is named from all of them: Thai is never called Arabic.

    Raises:
        PinchError: a candidate is no language, is not known to py3langid, or is the same primary
            language as another.
    """

    def __init__(self, candidates: Sequence[str] | None = None) -> None:
        tags = [language(tag).tag for tag in candidates] if candidates is not None else sorted(_labels())
        self._tags: dict[str, str] = {}
        for tag in dict.fromkeys(tags):
            label = _label(tag)
            if candidates is not None and label in self._tags:
                raise PinchError(
                    f"{self._tags[label]} and {tag} cannot be told apart by language identification",
                    fix=f"name one of them among the candidates; both count as {tag.split('-')[0]}",
                )
            self._tags[label] = tag
        if candidates is None:
            self._tags = {
                label: language(_VARIETY_OF.get(label, label), literal=True).tag for label in self._tags
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
            where only one is left, that script's share of the letters. (None, confidence) where the text is
            too short, too mixed or no language to tell.
        """
        return self.identify_clean(clean(text))

    def expected(self, tag: str) -> str:
        """Return the tag that :meth:`identify` gives to texts in this language (``nb`` may become ``no``).

        Raises:
            PinchError: it is no language, unknown to py3langid, or not among the candidates.
        """
        tag = language(tag).tag
        found = self._tags.get(_label(tag))
        if found is None:
            raise PinchError(
                f"language {tag} is not among the candidates {', '.join(sorted(self._tags.values()))}",
                fix=f"add {tag} to the candidates",
            )
        return found

    def _identify_clean(self, text: str) -> tuple[str | None, float]:
        script, share, letters = dominant_script(text)
        if script is None or letters < (_LEAST_DENSE_LETTERS if script in _DENSE else LEAST_LETTERS):
            return None, 0.0
        labels = [label for label in self._tags if script in scripts_of(label)]
        if not labels:
            return self._open.identify_clean(text) if self._open is not None else (None, 0.0)
        tag: str | None
        if len(labels) == 1 and script != "LATIN":  # Latin letters may be code, names or no language at all
            tag, confidence = self._tags[labels[0]], share
        else:
            tag, confidence = self._rank(text, {*labels, _NO_LANGUAGE})
        return (tag, confidence) if confidence >= LEAST_CONFIDENCE else (None, confidence)

    def _rank(self, text: str, labels: set[str]) -> tuple[str | None, float]:
        """Return the likeliest tag, its varieties' probabilities added to its own."""
        weights: dict[str | None, float] = {}
        for label, probability in self._model.rank(text):
            if label in labels:
                tag = self._tags.get(label)
                weights[tag] = weights.get(tag, 0.0) + probability
        total = sum(weights.values())
        best = max(weights, key=lambda tag: weights[tag])
        return best, weights[best] / total if total else 0.0


@lru_cache(maxsize=1)
def _any_language() -> Identifier:
    return Identifier(None)


def _label(tag: str) -> str:
    label = _labels().get(tag) or _labels().get(tag.split("-", maxsplit=1)[0])
    if label is None:
        raise PinchError(
            f"language identification does not know {tag} ({language(tag).name})",
            fix="leave its rows out; known: " + " ".join(sorted(_labels())),
        )
    return label
