"""Judges pairs by a server until none is left: a process to be killed.

python -m tests.judge.worker ADDRESS STORE COUNT [retry]
"""

from __future__ import annotations

import sys
from pathlib import Path

from polypinch.judge import HttpBackend, Limits, Sides, Terms, VerdictStore, judge_pairs, load_judge
from polypinch.openai_server import Patience
from tests.judge.pairs import pairs


def main(address: str, path: str, count: str, *retry: str) -> None:
    backend = HttpBackend("stub", address, patience=Patience(timeout_s=1.5, backoff_s=0.01))
    with VerdictStore(Path(path)) as store:
        judge_pairs(
            pairs(int(count)),
            load_judge("pairwise"),
            backend,
            store,
            Sides("ours", "theirs", 1),
            Terms(limits=Limits(concurrency=64), retry_failed=bool(retry)),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
