"""Bytes of a file as lines of text: unpacked, decoded, and with the line named where that fails."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from polypinch.errors import PinchError

PACKED = (".gz", ".zst", ".xz", ".bz2")
"""Endings of packed files; what is in them is told from their first bytes."""
PIECE_BYTES = 1 << 20
LONGEST_LINE = 1 << 28
"""Characters of a line, or of a value of a JSON array, beyond which a file is refused."""

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zst", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2"}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_POINTER = b"version https://git-lfs.github.com/spec/"
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
_CODE_PAGES = (
    ("cp1251", "CYRILLIC"),
    ("koi8-r", "CYRILLIC"),
    ("cp1256", "ARABIC"),
    ("cp1255", "HEBREW"),
    ("cp1253", "GREEK"),
    ("tis-620", "THAI"),
    ("gb18030", "CJK"),
    ("big5", "CJK"),
    ("shift_jis", "HIRAGANA"),
    ("euc-kr", "HANGUL"),
    ("cp1252", "LATIN"),
    ("cp1250", "LATIN"),
)


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file and, where it is packed (gzip, zstd, xz, bzip2), what it holds.

    Yields:
        The file's bytes, unpacked, and the file as it lies there, whose ``tell`` says how far reading is.

    Raises:
        PinchError: it can't be read, is damaged, or is no data: a Git LFS pointer or a zip archive.
    """
    kind = ""
    try:
        with path.open("rb") as raw:
            start = raw.read(64)
            raw.seek(0)
            if start.startswith(_POINTER):
                raise PinchError(
                    f"{path}: a Git LFS pointer, not the data",
                    fix="git lfs pull (in the repository it is from)",
                )
            if start.startswith(b"PK\x03\x04"):
                raise PinchError(f"{path}: a zip archive", fix="unpack it, and name the file inside")
            kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")
            yield _unpack(raw, kind), raw
    except PermissionError as error:
        raise PinchError(f"{path}: no permission to read it") from error
    except _DAMAGED as error:
        raise PinchError(
            f"{path}: not a whole {kind or 'packed'} file ({error})", fix="fetch it again"
        ) from error
    except OSError as error:
        what = f"not a whole {kind} file" if kind else "can't be read"
        raise PinchError(f"{path}: {what} ({error})") from error


def _unpack(raw: IO[bytes], kind: str) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if kind == "xz":
        return cast(IO[bytes], lzma.LZMAFile(raw))
    if kind == "bz2":
        return cast(IO[bytes], bz2.BZ2File(raw))
    if kind == "zst":
        stream: Any = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        return cast(IO[bytes], stream)
    return raw


def pieces(path: Path, file: IO[bytes], size: int | None = None) -> Iterator[tuple[int, str]]:
    """Decode a file in pieces of ``size`` bytes, each with the number of the line that it begins in.

    UTF-8, or UTF-16 and UTF-32 where a byte order mark says so.

    Raises:
        PinchError: a byte is of no such encoding; the message shows how it reads in others.
    """
    size = size or PIECE_BYTES
    data = file.read(max(size, 4))
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and data[:4].count(0) >= 2:
        raise PinchError(
            f"{path}: row 1: not UTF-8: it looks like UTF-16 without a byte order mark",
            fix=f"iconv -f UTF-16{'BE' if data[0] == 0 else 'LE'} -t UTF-8 OLD > NEW",
        )
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset = 1, 0
    while True:
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            whole, place = error.object, error.start
            row = line + whole[:place].count(b"\n")
            place_in_file = offset + len(data) - len(whole) + place
            raise PinchError(
                f"{path}: row {row}: byte 0x{whole[place]:02X} at offset {place_in_file} is not"
                f" {encoding.removesuffix('-sig').upper()}",
                fix=_advice(whole, place),
            ) from error
        if text:
            yield line, text
            line += text.count("\n")
        if not data:
            return
        offset += len(data)
        data = file.read(size)


def lines(path: Path, texts: Iterable[str]) -> Iterator[tuple[int, str]]:
    r"""Cut pieces of text into lines with their numbers and ends: ``\n``, or ``\r`` where none is.

    Raises:
        PinchError: a line is longer than :data:`LONGEST_LINE`.
    """
    held: list[str] = []
    number, length, end = 1, 0, ""
    for piece in texts:
        end = end or ("\r" if "\r" in piece and "\n" not in piece else "\n")
        first, *others = piece.split(end)
        held.append(first)
        length += len(first)
        if others:
            yield number, "".join(held) + end
            for place, text in enumerate(others[:-1], start=number + 1):
                yield place, text + end
            number += len(others)
            held, length = [others[-1]], len(others[-1])
        elif length > LONGEST_LINE:
            raise PinchError(f"{path}: row {number}: longer than {LONGEST_LINE:,} characters")
    if length:
        yield number, "".join(held)


def _advice(data: bytes, place: int) -> str:
    """Show how the text around a byte reads in the encodings that could be its own."""
    start = max(data.rfind(b"\n", 0, place), place - 200, -1) + 1
    end = data.find(b"\n", place)
    sample = data[start : end if 0 <= end < place + 200 else place + 200]
    readings = []
    for name, script in _CODE_PAGES:
        text = next((found for cut in range(3) if (found := _decoded(sample, name, cut)) is not None), None)
        foreign = [letter for letter in text or "" if ord(letter) > 127]
        if not foreign or not all(_of(script, letter) for letter in foreign):
            continue
        if text is None or re.search(r"[^\W\d_](?<=[a-zа-яёα-ω])[A-ZА-ЯΑ-Ω]{2}", text):  # upside down
            continue
        # Text in Latin letters has few that are not ASCII: without that, Cyrillic reads as accents.
        if script == "LATIN" and len(foreign) * 3 > sum(letter.isalpha() for letter in text):
            continue
        first = text.index(foreign[0])
        readings.append(f"{name} ({text[max(first - 10, 0) : first + 20].strip()!r})")
    readings = readings[:5]
    if not readings:
        return "find out its encoding from whoever wrote it, and save it as UTF-8"
    return (
        f"it may be {', '.join(readings)}: where one reads right, iconv -f THAT -t UTF-8 OLD > NEW;"
        " otherwise ask whoever wrote it"
    )


def _decoded(sample: bytes, encoding: str, cut: int) -> str | None:
    try:
        return sample[: len(sample) - cut].decode(encoding)
    except UnicodeDecodeError:
        return None


def _of(script: str, letter: str) -> bool:
    name = unicodedata.name(letter, "")
    if script == "HIRAGANA":
        return name.startswith(("HIRAGANA", "KATAKANA", "CJK", "IDEOGRAPHIC", "FULLWIDTH"))
    if script in ("HANGUL", "CJK"):
        return name.startswith((script, "CJK", "IDEOGRAPHIC", "FULLWIDTH"))
    return name.startswith(script) or name.startswith(("LEFT", "RIGHT", "EN DASH", "EM DASH", "ELLIPSIS"))
