from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from transformers import AutoModelForCausalLM

from polypinch.chat import Encoded
from polypinch.models.attention import segmented
from polypinch.tune.batches import by_token_budget, epochs_of_steps, flatten, steps_in_stages
from polypinch.tune.loss import batch_loss, row_losses
from tests.tiny import KINDS, tiny_model


def rows(seed: int = 0) -> list[Encoded]:
    generator = torch.Generator().manual_seed(seed)
    found = []
    # Longer than the tiny models' sliding window of 16, so that the window matters.
    for length in (5, 40, 12, 23):
        ids = torch.randint(6, 400, (length,), generator=generator).tolist()
        found.append(Encoded(ids, [index >= length // 3 for index in range(length)], False))
    return found


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_rows_end_to_end_have_the_losses_and_gradients_of_rows_alone(tmp_path: Path, kind: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path, kind), dtype=torch.float32)
    with segmented(model):
        batch_loss(model, flatten(rows())).backward()
    together = {
        name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None
    }
    model.zero_grad()
    alone = []
    for row in rows():
        logits = model(torch.tensor(row.input_ids)[None]).logits[0, :-1].float()
        labels = torch.tensor(row.input_ids[1:]).long().where(torch.tensor(row.supervised[1:]), -100)
        loss = functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
        loss.backward()
        alone.append(loss.item())
    assert row_losses(model, rows(), micro_tokens=64) == pytest.approx(alone, rel=1e-4)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(together[name], weight.grad, rtol=1e-3, atol=1e-3)


def test_a_first_token_is_never_a_target() -> None:
    batch = flatten([Encoded([7, 8, 9], [True, True, True], False), Encoded([5, 6], [True, True], False)])
    assert batch.labels.tolist() == [8, 9, 6]
    assert batch.keep.tolist() == [0, 1, 3]
    assert batch.rows.tolist() == [0, 0, 1]
    assert batch.position_ids.tolist() == [[0, 1, 2, 0, 1]]


@given(st.lists(st.integers(1, 100), max_size=40), st.integers(1, 120))
def test_parts_hold_every_row_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    parts = by_token_budget(lengths, budget)
    assert sorted(index for part in parts for index in part) == list(range(len(lengths)))
    for part in parts:
        assert part
        assert len(part) == 1 or sum(lengths[index] for index in part) <= budget


@given(st.integers(1, 50), st.integers(1, 20), st.integers(1, 3), st.integers(0, 100))
def test_every_epoch_holds_every_row_once(n_rows: int, per_step: int, epochs: int, seed: int) -> None:
    items = pa.array([f"i{index}" for index in range(n_rows)])
    steps = epochs_of_steps(items, per_step, epochs, seed)
    per_epoch = -(-n_rows // per_step)
    assert len(steps) == epochs * per_epoch
    for epoch in range(epochs):
        held = [index for step in steps[epoch * per_epoch : (epoch + 1) * per_epoch] for index in step]
        assert sorted(held) == list(range(n_rows))
    assert steps == epochs_of_steps(items, per_step, epochs, seed)


@given(st.lists(st.sampled_from(["en", "fi", "ru"]), min_size=1, max_size=30), st.integers(1, 8))
def test_two_stages_hold_one_language_then_the_rest_and_every_row_in_every_epoch(
    tags: list[str], per_step: int
) -> None:
    rows = pa.table({"item_id": [f"i{index}" for index in range(len(tags))], "language": tags})
    steps = steps_in_stages(rows, "en", per_step, 2, 7)
    met = [tags[index] == "en" for step in steps for index in step]
    assert met == sorted(met, reverse=True)
    assert sorted(index for step in steps for index in step) == sorted([*range(len(tags))] * 2)
    assert all(len({tags[index] == "en" for index in step}) == 1 and len(step) <= per_step for step in steps)
    mixed = epochs_of_steps(rows["item_id"], per_step, 2, 7)
    assert steps_in_stages(rows, None, per_step, 2, 7) == mixed
    assert steps_in_stages(rows, "sw", per_step, 2, 7) == mixed


def test_the_same_items_in_other_places_meet_in_the_same_steps() -> None:
    items = [f"i{index}" for index in range(20)]
    moved = items[7:] + items[:7]
    one, two = (
        [[listed[index] for index in step] for step in epochs_of_steps(pa.array(listed), 6, 2, 3)]
        for listed in (items, moved)
    )
    assert one == two
    assert one[:4] != one[4:]


def test_parts_are_even() -> None:
    parts = by_token_budget([100] * 16, 1024)
    assert [len(part) for part in parts] == [8, 8]
    assert by_token_budget([], 10) == []
