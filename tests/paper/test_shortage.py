from __future__ import annotations

import pytest

from polypinch.errors import PinchError
from polypinch.paper.setup import SIZES, Stock, refuse_shortage
from polypinch.study import Study


def study() -> Study:
    return Study.model_validate(
        {
            "models": ["m"],
            "pool": "mine.parquet",
            "budget": {"examples": 1000},
            "languages": {"seen": ["fi", "ru"]},
            "arms": [{"name": "english"}],
            "heldout": {"items": 5},
        }
    )


def stock(**train: int) -> Stock:
    return Stock("mine.parquet", train, dict.fromkeys(train, 10))


def test_what_translating_would_make_is_named_with_its_command_and_calls() -> None:
    with pytest.raises(PinchError) as caught:
        refuse_shortage(study(), stock(en=1200, fi=900, ru=0), SIZES["paper"])
    assert "1,000 training rows are needed, 900 are there in fi" in caught.value.message
    assert caught.value.fix is not None
    assert "in 1,100 calls" in caught.value.fix
    assert "polypinch translate mine.parquet --to fi,ru --items 1000" in caught.value.fix


def test_where_the_base_itself_is_too_small_a_larger_pool_is_named() -> None:
    with pytest.raises(PinchError) as caught:
        refuse_shortage(study(), stock(en=200, fi=200, ru=200), SIZES["paper"])
    assert caught.value.fix is not None
    assert "of en, 1,000 training rows are the least" in caught.value.fix
    assert "polypinch translate" not in caught.value.fix
