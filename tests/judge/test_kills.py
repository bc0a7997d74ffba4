"""Hostile replies and a kill together: what comes out is whole, and nobody's invention."""

from __future__ import annotations

from benchmarks.hostile_stub import FALSE, TRUE, HostileStub
from benchmarks.judge_faults import survive
from benchmarks.judge_stub import FAULTS


def test_whatever_a_server_replies_verdicts_are_complete_and_true_though_judging_is_killed() -> None:
    stub = HostileStub(slow=2.0)
    stub.script.extend([*[None] * 64, *FAULTS, *TRUE, *FALSE])
    made = survive(stub, 150, kills=1)
    assert made["kinds"] == len((*FAULTS, *TRUE, *FALSE))
    assert (made["lost"], made["doubled"], made["invented"], made["asked_again"]) == (0, 0, 0, 0)
