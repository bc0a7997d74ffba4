"""What a probe found, and its file."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from polypinch.errors import PinchError
from polypinch.files import read_json
from polypinch.languages import Source, distances
from polypinch.stats import Array, Estimate

PROBE_FILE = "probe.json"

PROXY = {
    "bits": "exposure: the bits that English needs over the bits that the same texts need in the language; 1"
    " is predicted as well as English. Contents are the same, so bits per English byte compare across"
    " languages. Bits per byte do not: a byte holds less in some scripts than in others.",
    "tokens": "exposure: the tokens that English needs over the tokens that the same texts need in the"
    " language. It tells what the tokenizer was trained on, and of the model only what it shares with that.",
}
LIMITS = (
    "A proxy, for models that do not disclose their data: it orders languages by how well this model does on"
    " these texts. Besides pretraining, the language itself, its tokens and the quality of the translation"
    " move it. It is no share of any corpus, and was not checked against disclosed shares.",
    "Intervals resample these items; other texts (another domain, native instead of translated) may order"
    " languages otherwise.",
)


@dataclass(frozen=True)
class LanguageProbe:
    """One language on the texts it shares with English; each estimate is a ratio of totals over items.

    Attributes:
        language: BCP-47 tag.
        name: its English name.
        script: ISO 15924 code.
        family: its branch, or ``None`` where unknown.
        tokens_per_character: tokens over Unicode characters (NFC).
        token_premium: tokens over English's.
        bits_per_byte: bits over UTF-8 bytes; ``None`` where the weights were not loaded.
        bits_per_english_byte: bits over the English texts' UTF-8 bytes; likewise.
        exposure: see :data:`PROXY`.
    """

    language: str
    name: str
    script: str
    family: str | None
    tokens_per_character: Estimate
    token_premium: Estimate
    bits_per_byte: Estimate | None
    bits_per_english_byte: Estimate | None
    exposure: Estimate


ESTIMATES = ("tokens_per_character", "token_premium", "bits_per_byte", "bits_per_english_byte", "exposure")


@dataclass(frozen=True)
class Probe:
    """A model probed.

    Attributes:
        model: as the user named it.
        model_fingerprint: changes when its weights do.
        text: where the texts are from.
        text_fingerprint: changes when they do.
        items: how many were measured.
        left_out: how many were too long in some language.
        exposure_from: ``bits``, or ``tokens`` where the weights were not loaded.
        languages: English first.
    """

    model: str
    model_fingerprint: str
    text: str
    text_fingerprint: str
    items: int
    left_out: int
    exposure_from: Literal["bits", "tokens"]
    languages: tuple[LanguageProbe, ...]

    def exposure(self) -> dict[str, float]:
        """Return the exposure of each language."""
        return {one.language: one.exposure.value for one in self.languages}

    def as_dict(self, similarity: Source = "tree") -> dict[str, Any]:
        """Return all of it, with the distances between its languages, JSON-able."""
        apart = distances([one.language for one in self.languages], similarity)
        rows = []
        for one in self.languages:
            row: dict[str, Any] = {
                name: getattr(one, name) for name in ("language", "name", "script", "family")
            }
            for name in ESTIMATES:
                estimate: Estimate | None = getattr(one, name)
                row[name] = estimate.as_dict() if estimate else None
            rows.append(row)
        matrices = {name: _rounded(getattr(apart, name)) for name in ("genetic", "script", "typological")}
        head = {name: value for name, value in vars(self).items() if name != "languages"}
        return {
            **head,
            "proxy": PROXY[self.exposure_from],
            "limits": list(LIMITS),
            "languages": rows,
            "distances": {"source": apart.source, "languages": list(apart.languages), **matrices},
        }


def _rounded(matrix: Array) -> list[list[float | None]]:
    return [[None if math.isnan(value) else round(value, 4) for value in line] for line in matrix.tolist()]


def read_probe(path: Path) -> Probe:
    """Read a probe: a folder that ``polypinch probe --out`` made, or what ``--json`` printed; ``-`` is stdin.

    Raises:
        PinchError: it is neither.
    """
    if str(path) == "-":
        try:
            data = json.loads(sys.stdin.read())
        except json.JSONDecodeError as error:
            raise PinchError(f"standard input is not JSON ({error})") from error
    else:
        data = read_json(path / PROBE_FILE if path.is_dir() else path)
    try:
        rows = [
            LanguageProbe(
                **{name: row[name] for name in ("language", "name", "script", "family")},
                **{name: Estimate(**row[name]) if row[name] else None for name in ESTIMATES},  # type: ignore[arg-type]
            )
            for row in data["languages"]
        ]
        names = [name for name in Probe.__dataclass_fields__ if name != "languages"]
        return Probe(**{name: data[name] for name in names}, languages=tuple(rows))
    except (KeyError, TypeError) as error:
        raise PinchError(
            f"{path} is not a probe ({error})", fix="polypinch probe MODEL --out FOLDER makes one"
        ) from error
