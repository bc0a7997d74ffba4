"""Tuning by several processes: each holds a part of the weights, and takes a part of every step's rows.

FSDP2 (``torch.distributed.fsdp.fully_shard``) by way of accelerate: a layer's weights are gathered when it
computes, and its gradients averaged over the processes and divided among them afterwards.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from accelerate import FullyShardedDataParallelPlugin, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, TorchDynamoPlugin
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

from polypinch.models import device
from polypinch.processes import is_main, world
from polypinch.tune import memory


def arguments() -> dict[str, Any]:
    """Return what transformers' TrainingArguments need to shard a model over torchrun's processes."""
    if world() == 1:
        return {}
    return {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "state_dict_type": "SHARDED_STATE_DICT",
        },
    }


def prepare(chosen: Any) -> None:
    """Let accelerate shard on CPUs too, and not on accelerators only; call it before the Trainer is made.

    Args:
        chosen: the Trainer's arguments, with those of :func:`arguments`.
    """
    if world() == 1 or device().type != "cpu":
        return
    state = AcceleratorState("no", cpu=True, dynamo_plugin=TorchDynamoPlugin(), _from_accelerator=True)
    PartialState._shared_state["distributed_type"] = state.distributed_type = DistributedType.FSDP
    state.fsdp_plugin = FullyShardedDataParallelPlugin(**chosen.fsdp_plugin_args)


def compute_in(dtype: torch.dtype, accelerator: Any) -> None:
    """Let a model that is about to be sharded keep its weights' type and compute in another.

    Gradients are averaged in the weights' type: accelerate's own setting would average them in bf16.
    """
    from torch.distributed.fsdp import MixedPrecisionPolicy  # noqa: PLC0415  (not in every build of torch)

    accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
        param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False
    )


def free_bytes(model: Any) -> int:
    """Return the memory that this process will have beside its part of a model that is not sharded yet."""
    free = memory.free_bytes(device())
    if world() == 1:
        return free
    if device().type == "cpu":
        return free // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    weights: int = sum(weight.nbytes for weight in model.parameters())
    return free - weights // world()


def any_says(found: bool) -> bool:
    """Tell whether something is so in any process."""
    if world() == 1:
        return found
    flag = torch.tensor(int(found), device=device())
    torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
    return bool(flag)


def save(model: Any, config: Any, dtype: torch.dtype | None, folder: Path) -> None:
    """Gather what was trained of a sharded model in the main process, and save it there.

    Args:
        model: the sharded model; of an adapted one only the adapter is gathered and saved.
        config: the model's; saved beside its weights.
        dtype: to save in; ``None`` leaves it as it is.
        folder: where to.
    """
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    state: dict[str, Any] = get_model_state_dict(model, options=options)
    if not is_main():
        return
    # Gathered, tied weights have become two.
    tied = dict(model.named_parameters(remove_duplicate=False)).keys() - dict(model.named_parameters()).keys()
    state = {name: value.to(dtype or value.dtype) for name, value in state.items() if name not in tied}
    model.save_pretrained(folder, state_dict=state)
    if dtype is not None:
        config.dtype = dtype
        config.save_pretrained(folder)
