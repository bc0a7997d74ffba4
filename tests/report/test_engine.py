from __future__ import annotations

import resource
import subprocess
import sys

import pytest

CODE = """
import resource
resource.setrlimit(resource.RLIMIT_AS, ({soft}, {hard}))
from polypinch.errors import PinchError
from polypinch.report import drawn
try:
    print(len(drawn("a", "a", "", {{"data": {{"values": [{{}}]}}, "mark": "point"}}).svg) > 0)
except PinchError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("hard", "said"),
    [("resource.RLIM_INFINITY", "True"), ("12 * 2**30", "12.0 GiB of addresses (ulimit -v)")],
)
def test_charts_are_drawn_or_refused_with_the_fix_where_addresses_are_few(hard: str, said: str) -> None:
    if resource.getrlimit(resource.RLIMIT_AS)[1] != resource.RLIM_INFINITY:
        pytest.skip("addresses are few here")
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(soft="12 * 2**30", hard=hard)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
