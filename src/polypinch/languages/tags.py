"""Languages: BCP-47 tags with their names, scripts and families."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import langcodes

from polypinch.errors import PinchError

PAPER_LANGUAGES = ("ar", "zh", "cs", "en", "et", "fi", "he", "hi", "it", "ru", "es", "sw")
"""The twelve languages of Shaham et al. (2024), arXiv 2401.01854."""

_RIGHT_TO_LEFT = frozenset({"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"})

# Branches as in Glottolog 5; language_data holds names and scripts but no genealogy.
_FAMILIES = {
    "Semitic": "ar he mt am ti arz",
    "Sinitic": "zh yue",
    "Slavic": "ru uk be pl cs sk sl hr sr bs bg mk",
    "Germanic": "en de nl sv da nb nn no is af yi lb",
    "Romance": "es it fr pt ro ca gl oc",
    "Finnic": "fi et",
    "Ugric": "hu",
    "Indo-Aryan": "hi ur bn pa gu mr ne si as or sd",
    "Iranian": "fa ku ps tg ckb",
    "Bantu": "sw zu xh st tn sn ny rw lg ln",
    "Turkic": "tr az kk uz ky tt tk ug",
    "Dravidian": "ta te kn ml",
    "Japonic": "ja",
    "Koreanic": "ko",
    "Baltic": "lt lv",
    "Celtic": "ga cy gd br",
    "Hellenic": "el",
    "Armenian": "hy",
    "Albanian": "sq",
    "Kartvelian": "ka",
    "Austronesian": "id ms jv su tl fil mg mi ceb haw sm",
    "Austroasiatic": "vi km",
    "Tai": "th lo",
    "Tibeto-Burman": "my bo dz",
    "Mongolic": "mn",
    "Basque": "eu",
    "Volta-Niger": "yo ig",
    "Chadic": "ha",
    "Cushitic": "so om",
    "Atlantic": "wo ff",
}
_FAMILY_OF = {tag: family for family, tags in _FAMILIES.items() for tag in tags.split()}

# Top-level families of more than one of these branches, as in Glottolog 5; any other branch is its own.
_STOCKS = {
    "Indo-European": "Slavic Germanic Romance Indo-Aryan Iranian Baltic Celtic Hellenic Armenian Albanian",
    "Uralic": "Finnic Ugric",
    "Afro-Asiatic": "Semitic Chadic Cushitic",
    "Sino-Tibetan": "Sinitic Tibeto-Burman",
    "Atlantic-Congo": "Bantu Volta-Niger Atlantic",
}
_STOCK_OF = {family: stock for stock, families in _STOCKS.items() for family in families.split()}


@dataclass(frozen=True)
class Language:
    """One language.

    Attributes:
        tag: BCP-47 tag, as short as it can be (``en``, ``zh``, ``pt-BR``).
        name: its English name.
        autonym: its own name.
        script: ISO 15924 code (``Latn``, ``Arab``).
        family: its branch, or ``None`` where this table does not know it.
        stock: the top-level family of that branch (``Indo-European`` of ``Slavic``), or ``None``.
        direction: ``ltr`` or ``rtl``.
    """

    tag: str
    name: str
    autonym: str
    script: str
    family: str | None
    stock: str | None
    direction: str


@lru_cache(maxsize=4096)
def language(tag: str, *, literal: bool = False) -> Language:
    """Look up a language by tag; other forms of the same tag (``eng``, ``iw``, ``cmn``) become it.

    Args:
        tag: of a language, in any case, with ``-`` or ``_``.
        literal: take it at its word, as a program's list of codes means it, however unlikely it is.

    Raises:
        PinchError: no language has this tag; or one has, and it is nearly always written by mistake
            (``nan`` by pandas, ``kr`` for Korean): the message says how to write the language itself.
    """
    if not isinstance(tag, str):
        raise PinchError(
            f"{tag!r} is no language's tag", fix=_MEANT.get(str(tag).lower(), "write it in quotes: 'no'")
        )
    tag = tag.strip()
    if not tag.isprintable() or len(tag) > _LONGEST:
        raise PinchError(f"unknown language {tag[:_LONGEST]!r}", fix=_EXAMPLES)
    meant = _MEANT.get(tag.lower().replace("_", "-"))
    if meant is not None and not literal:
        raise PinchError(f"{tag!r} is no language's tag, or another's than it looks", fix=meant)
    try:
        standard = langcodes.standardize_tag(tag.replace("_", "-"), macro=True)
        found = langcodes.Language.get(standard)
        known = found.is_valid() and found.language not in (None, "und") and found.territory != "XX"
    except (langcodes.LanguageTagError, AttributeError):
        known = False
    if not known:
        raise PinchError(f"unknown language {tag!r}", fix=_suggestion(tag))
    simple = found.simplify_script()
    short = simple.to_tag()
    script = found.assume_script().script or found.maximize().script or "Zyyy"
    family = _FAMILY_OF.get(found.language)
    return Language(
        tag=_LONG.get(short, short),
        name=found.display_name(),
        autonym=found.autonym(),
        script=script,
        family=family,
        stock=_STOCK_OF.get(family, family) if family else None,
        direction="rtl" if script in _RIGHT_TO_LEFT else "ltr",
    )


_LONGEST = 100
_EXAMPLES = "use a BCP-47 tag such as en, zh, sw or pt-BR"
_LONG = {"kr": "kau", "se": "sme"}
"""Three letters for languages whose two are taken for a country's."""

_MEANT = {
    "nan": "an empty cell, as pandas writes it? fill it; for Min Nan Chinese write nan-Hant or nan-Latn",
    "none": "an empty cell? fill it",
    "false": "YAML 1.1 reads no as false: write it in quotes, 'no', or nb for Norwegian Bokmål",
    "true": "YAML 1.1 reads y and on as true: write the tag in quotes",
    "kr": "Korean is ko (KR is the country); for Kanuri write kau",
    "se": "Swedish is sv (SE is the country); for Northern Sami write sme",
    "mul": "it means several languages: give each row its own",
    "mis": "it means a language without a code: name one that has a code",
    "zxx": "it means no language at all",
    "und": "it means an unknown language: name the row's own",
    "ar-ar": "mBART's code for Arabic? write ar (AR is Argentina)",
    "cht": "traditional Chinese is zh-Hant (cht is Cholón, which nobody speaks any more)",
    "chs": "simplified Chinese is zh or zh-Hans",
    "ua": "Ukrainian is uk (UA is the country)",
    "jp": "Japanese is ja (JP is the country)",
    "cn": "Chinese is zh (CN is the country)",
    "tw": "traditional Chinese is zh-Hant (TW is the country); for Twi write ak",
    "cz": "Czech is cs (CZ is the country)",
    "dk": "Danish is da (DK is the country)",
    "gr": "Greek is el (GR is the country)",
    "vn": "Vietnamese is vi (VN is the country)",
    "ir": "Persian is fa (IR is the country)",
    "in": "Hindi is hi (IN is the country); Indonesian is id",
}
"""What to write instead of tags that are a mistake nearly always."""


def _suggestion(tag: str) -> str:
    place = re.fullmatch(r"([A-Za-z]{2,3})[-_](XX|ZZ)", tag)
    if place:
        return f"mBART's code: write {place[1].lower()!r}"
    try:
        return f"use the tag {langcodes.find(str(tag)).to_tag()!r}"
    except LookupError:
        return _EXAMPLES


def languages(tags: list[str] | tuple[str, ...]) -> list[str]:
    """Normalise several tags, keeping their order.

    Raises:
        PinchError: a tag is unknown, or two of them mean the same language.
    """
    normal = [language(tag).tag for tag in tags]
    twice = sorted({tag for tag in normal if normal.count(tag) > 1})
    if twice:
        raise PinchError(f"language {', '.join(twice)} is named twice", fix="name each language once")
    return normal
