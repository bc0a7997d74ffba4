"""Whether charts can be drawn here: their engine, V8, reserves far more addresses than it uses memory."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from polypinch.errors import PinchError

_DRAWS = "import vl_convert; vl_convert.vegalite_to_svg({'data': {'values': [{}]}, 'mark': 'point'})"


@cache
def refuse_small_address_space() -> None:
    """Refuse to draw where V8 would end this process without a word.

    A soft limit is raised where that is allowed; under any other, a child tries it.

    Raises:
        PinchError: processes here may use too few addresses.
    """
    try:
        import resource  # noqa: PLC0415  (not on Windows, which has no such limit)
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        return
    if subprocess.run([sys.executable, "-c", _DRAWS], capture_output=True, check=False).returncode:
        raise PinchError(
            f"charts cannot be drawn here: processes may use {soft / 2**30:,.1f} GiB of addresses"
            " (ulimit -v), and their engine reserves more",
            fix="ulimit -v unlimited; or report on another machine: polypinch report with the same folder",
        )
