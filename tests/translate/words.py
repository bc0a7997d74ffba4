"""A translating server for any rows: each word gives way to one of the language, all else stays as it was."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

from benchmarks.judge_stub import Stub, completion
from polypinch.languages import language

_TURN = re.compile(r"\[turn (\d+), \w+, (\w{16})\]\n(.*?)\n\[end of turn \1, \2\]", re.DOTALL)
_TARGET = re.compile(r" from \w+ into ([^.]+)\.")
_KEPT = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\{\{?[\w .-]{1,40}\}?\}|%\(\w+\)[sd]|%[sd]|\$\{\w+\}|</?[A-Za-z][^<>\n]{0,100}>|\w*\d\w*",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
WORDS = {
    "German": "der die und nicht zwischen durch wenn schon immer Straße Wasser Kinder größer können würden"
    " Möglichkeit Geschichte verschiedene Gesellschaft Entwicklung wahrscheinlich zusammen über für auch"
    " ein im",
    "Dutch": "het een van niet tussen wanneer altijd al weg water kinderen groter zouden kunnen mogelijkheid"
    " geschiedenis verschillende samenleving ontwikkeling waarschijnlijk samen over voor ook deze naar",
    "French": "le les et pas entre avec lorsque déjà toujours chemin lumière enfants très peuvent seraient"
    " possibilité histoire différentes société développement probablement ensemble où cette aussi un du être",
    "Portuguese": "o as e não entre com quando já sempre caminho coração crianças muito podem seriam"
    " possibilidade história diferentes sociedade desenvolvimento provavelmente juntos são também um do há",
    "Spanish": "el las y no entre con cuando ya siempre camino corazón niños muy pueden serían posibilidad"
    " historia diferentes sociedad desarrollo probablemente juntos también hacia aquí un del años según",
    "Finnish": "ja ei on kun jo aina tie vesi lapset suurempi voivat olisivat mahdollisuus historia erilaiset"
    " yhteiskunta kehitys todennäköisesti yhdessä myös tämä se ovat kaupungissa mutta",
    "Russian": "и не в на когда уже всегда дорога вода дети больше могут были возможность история разные"
    " общество развитие вероятно вместе также это город но который",
    "Japanese": "は の が を と も水 道 子供 いつも もう 大きい できる 歴史 社会 違う 発展 たぶん 一緒 これ"
    " 街 です ます",
}


class WordStub(Stub):
    """Translates word by word, and may spoil some replies.

    Attributes:
        spoil: is given the language, the source's turns and the translated ones, and returns those to send.
    """

    def __init__(
        self, spoil: Callable[[str, list[str], list[str]], list[str]] | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._spoil = spoil

    def reply(self, prompt: str) -> bytes:
        """Translate what is between the marks."""
        target = _TARGET.search(prompt)
        assert target is not None
        sources = [match[3] for match in _TURN.finditer(prompt)]
        turns = [in_words(source, target[1]) for source in sources]
        if self._spoil is not None:
            turns = self._spoil(target[1], sources, turns)
        self.counts["good"] += 1
        return completion(json.dumps({"turns": turns}, ensure_ascii=False), prompt, **self.more)


def in_words(text: str, name: str) -> str:
    """Return a text with each word of its prose put into one of a language, about as long."""
    parts, at = [], 0
    for kept in _KEPT.finditer(text):
        parts += [_prose(text[at : kept.start()], name, at), kept[0]]
        at = kept.end()
    return "".join([*parts, _prose(text[at:], name, at)])


def _prose(text: str, name: str, offset: int) -> str:
    words = WORDS[name].split()
    joined = name == "Japanese"

    def other(match: re.Match[str]) -> str:
        place = zlib.crc32(f"{match[0]}{offset + match.start()}".encode())
        if joined:
            return words[place % len(words)]
        near = sorted(words, key=lambda word: abs(len(word) - len(match[0])))[:5]
        chosen = near[place % len(near)]
        return chosen[:1].upper() + chosen[1:] if match[0][:1].isupper() else chosen

    put = _WORD.sub(other, text)
    return re.sub(r"(?<=[ぁ-ヿ一-鿿]) (?=[ぁ-ヿ一-鿿])", "", put) if joined else put


assert all(language(tag).name in WORDS for tag in ("de", "fr", "ja", "pt", "es", "fi", "ru"))
