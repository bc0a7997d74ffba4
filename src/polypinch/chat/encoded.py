"""A conversation as tokens, held compactly: a pool of a million rows is tokenised once and kept."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Encoded:
    """A conversation as tokens::

        <bos><start_of_turn>user\\nHi<end_of_turn>\\n<start_of_turn>model\\nHello!<end_of_turn>\\n
        ---------------------------- unsupervised ------------------------ [ supervised       ]

    Any sequences are taken, and kept as arrays.

    Attributes:
        input_ids: (n,) int32 token ids.
        supervised: (n,) true on the tokens of every assistant turn and on its end-of-turn token.
        truncated: tokens were cut off at the end.
    """

    input_ids: npt.NDArray[np.int32]
    supervised: npt.NDArray[np.bool_]
    truncated: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_ids", np.asarray(self.input_ids, np.int32))
        object.__setattr__(self, "supervised", np.asarray(self.supervised, np.bool_))

    @classmethod
    def of(cls, input_ids: Sequence[int], supervised: Sequence[bool]) -> Encoded:
        """Return the same from lists."""
        return cls(np.asarray(input_ids, np.int32), np.asarray(supervised, np.bool_), False)

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def supervised_tokens(self) -> int:
        """How many tokens are supervised."""
        return int(self.supervised.sum())

    def cut(self, max_length: int | None) -> Encoded:
        """Return the first ``max_length`` tokens; all of them for ``None``."""
        if max_length is None or len(self) <= max_length:
            return self
        return Encoded(self.input_ids[:max_length], self.supervised[:max_length], True)

    def last_turn(self) -> Encoded:
        """Return the same with the last supervised turn alone supervised: earlier ones are context."""
        places = np.flatnonzero(self.supervised)
        gaps = np.flatnonzero(np.diff(places) > 1)
        if not len(gaps):
            return self
        supervised = self.supervised.copy()
        supervised[: places[gaps[-1] + 1]] = False
        return Encoded(self.input_ids, supervised, self.truncated)


class EncodedRows(Sequence[Encoded]):
    """Conversations as tokens, laid end to end: 5 bytes a token and 9 a row, not a kilobyte more."""

    def __init__(self) -> None:
        self._ids = bytearray()
        self._supervised = bytearray()
        self._truncated = bytearray()
        self._ends = array("q", [0])

    def append(self, row: Encoded) -> None:
        """Add one at the end."""
        self._ids += row.input_ids.tobytes()
        self._supervised += row.supervised.tobytes()
        self._truncated.append(row.truncated)
        self._ends.append(self._ends[-1] + len(row))

    def __len__(self) -> int:
        return len(self._truncated)

    @overload
    def __getitem__(self, index: int) -> Encoded: ...
    @overload
    def __getitem__(self, index: slice) -> list[Encoded]: ...
    def __getitem__(self, index: int | slice) -> Encoded | list[Encoded]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        start, end = self._ends[place], self._ends[place + 1]
        return Encoded(
            # Copies, as a buffer that is looked into cannot grow.
            np.frombuffer(self._ids[4 * start : 4 * end], np.int32),
            np.frombuffer(self._supervised[start:end], np.bool_),
            bool(self._truncated[place]),
        )
