"""Whether a model's name is a folder's: a folder that is not there is refused, and not sought on the Hub."""

from __future__ import annotations

import re
from pathlib import Path

from polypinch.errors import PinchError

_HUB_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


def refuse_missing_folder(name: str) -> None:
    """Refuse a name that means a folder here which is not there; light, as no model's library is loaded.

    A name means a folder if it begins like a path or could be no Hub id, or where the folder that it would
    stand in is here.

    Raises:
        PinchError: with what stands beside it.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return
    beside = path.parent
    means_folder = (
        name.startswith((".", "/", "~", "\\"))
        or _HUB_ID.fullmatch(name) is None
        or ("/" in name and beside.is_dir())
        or path.is_file()
    )
    if not means_folder:
        return
    near = [one.name for one in sorted(beside.iterdir()) if one.is_dir()][:5] if beside.is_dir() else []
    raise PinchError(
        f"model {name!r}: {'a file, not a folder' if path.is_file() else 'no such folder'}",
        fix=f"in {beside} there are {', '.join(near)}" if near else "check the path",
    )
