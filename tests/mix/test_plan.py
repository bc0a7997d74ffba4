from __future__ import annotations

from typing import get_args

from polypinch.mix.plan import Budget, Dose, DoseUnit


def test_every_unit_of_a_dose_is_a_field_with_a_quota() -> None:
    units = get_args(DoseUnit)
    assert set(units) == Dose.model_fields.keys() - {"languages", "times"}
    budget = Budget(examples=100)
    for unit in units:
        quota = Dose.model_validate({"languages": ["fi"], unit: 1}).quota(budget)
        assert quota == (unit if "tokens" in unit else "examples", 100 if unit == "share" else 1)
