"""One base model in memory for many tunings: adapters come and go, its weights stay what they are."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import Tensor

from polypinch.errors import PinchError
from polypinch.models import Model, Precision, Quantization, choose_dtype, load_model
from polypinch.tune.lora import LoraLinear
from polypinch.tune.recipe import TuneRecipe

# How peft names a layer's two matrices in an adapter's file.
_WITHIN, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


class Base:
    """A base model, loaded when first needed and kept.

    What :meth:`trainable` and :meth:`tuned` return is the base itself, changed: the next call of either, or
    of :meth:`plain`, changes it again.

    Args:
        model: where its weights are.
        precision: of its weights; see :class:`TuneRecipe`.
        quantization: of its weights, to be tuned only: an adapter is merged into weights that are whole.
    """

    def __init__(
        self, model: Model, precision: Precision = "auto", quantization: Quantization = "none"
    ) -> None:
        self.model = model
        self.quantization = quantization
        self.dtype = choose_dtype(precision)
        self._loaded: Any = None
        self._adapted: Any = None
        self._originals: dict[Any, torch.Tensor] = {}
        self._worn: Path | None = None
        self._altered = False

    def plain(self) -> Any:
        """Return the base without adapters, bit for bit as it was loaded."""
        if self._altered:
            self.release()  # peft has merged into the weights themselves
        if self._loaded is None:
            self._loaded = load_model(self.model, self.dtype, self.quantization).requires_grad_(False)
        if self._adapted is not None:
            self._loaded = self._adapted.unload()
            self._adapted = None
            # peft leaves a mark by which it would warn of a second adapter.
            vars(self._loaded).pop("peft_config", None)
        for module, weight in self._originals.items():
            module.weight.data = weight
        self._originals, self._worn = {}, None
        return self._loaded.eval()

    def trainable(self, recipe: TuneRecipe) -> Any:
        """Return the base with fresh adapters, drawn from torch's global generator.

        Raises:
            PinchError: the model cannot be given adapters.
        """
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        if self.quantization == "none":
            config._register_custom_module({torch.nn.Linear: LoraLinear})
        base = self.plain()
        try:
            with _without_notes_on_what_peft_mends():
                self._adapted = get_peft_model(base, config)
        except ValueError as error:
            raise PinchError(
                f"{type(base).__name__} cannot be given adapters: {error}",
                fix="method: full, or choose another base model",
            ) from error
        return self._adapted

    def tuned(self, checkpoint: Path | None) -> Any:
        """Return a model ready to answer: the base, or the base with a checkpoint's adapter merged.

        Args:
            checkpoint: what :func:`~polypinch.tune.tune` left, or ``None`` for the untuned base. A fully
                tuned model is loaded in the base's stead, which is let go.

        Raises:
            PinchError: the checkpoint holds neither adapter nor model.
        """
        if checkpoint is None:
            return self.plain()
        if (checkpoint / "model").is_dir():
            self.release()
            return load_model(Model(self.model.name, str(checkpoint / "model"), None, ""), self.dtype).eval()
        if not (checkpoint / "adapter").is_dir():
            raise PinchError(
                f"{checkpoint} holds neither adapter/ nor model/", fix="name a folder that tune made"
            )
        if self._worn == checkpoint:
            return self._loaded
        base = self.plain()
        folder = checkpoint / "adapter"
        config, weights = _read(folder)
        if not _is_plain(base, config, weights):
            self._loaded, self._altered = _merged_by_peft(base, folder), True
        else:
            for module, weight in _merged(base, config, weights):
                self._originals[module] = module.weight.data
                module.weight.data = weight
        self._worn = checkpoint
        return self._loaded

    def release(self) -> None:
        """Let the weights go; they are loaded again when next needed."""
        self._loaded = self._adapted = self._worn = None
        self._originals, self._altered = {}, False
        gc.collect()


def _read(folder: Path) -> tuple[LoraConfig, dict[str, Tensor]]:
    config = LoraConfig.from_pretrained(str(folder))
    weights = load_file(folder / "adapter_model.safetensors")
    if not all(bool(values.isfinite().all()) for values in weights.values()):
        raise PinchError(f"{folder} holds numbers that are not finite", fix="tune with a lower learning rate")
    return config, weights


def _is_plain(base: Any, config: LoraConfig, weights: dict[str, Tensor]) -> bool:
    """Tell whether an adapter is two matrices beside each of some linear layers, and nothing else."""
    if config.use_dora or config.use_rslora or config.rank_pattern or config.alpha_pattern:
        return False
    modules = dict(base.named_modules())
    layers = [name.removesuffix(_DOWN) for name in weights if name.endswith(_DOWN)]
    linear = all(type(modules.get(layer.removeprefix(_WITHIN))) is torch.nn.Linear for layer in layers)
    return linear and len(weights) == 2 * len(layers)


def _merged(base: Any, config: LoraConfig, adapter: dict[str, Tensor]) -> Iterator[tuple[Any, Tensor]]:
    """Yield each adapted layer of a base and its weight with the adapter in it, beside the old one.

    To the bit what peft's safe merge makes of a plain LoRA adapter, in a third of the time: no layer is
    wrapped and unwrapped.
    """
    for layer in [name.removesuffix(_DOWN) for name in adapter if name.endswith(_DOWN)]:
        module = base.get_submodule(layer.removeprefix(_WITHIN))
        place, dtype = module.weight.device, module.weight.dtype
        down, up = adapter[layer + _DOWN].to(place), adapter[layer + _UP].to(place)
        yield module, module.weight.data + (up @ down * (config.lora_alpha / config.r)).to(dtype)


@contextmanager
def _without_notes_on_what_peft_mends() -> Iterator[None]:
    """Leave out two warnings that nobody can act on.

    One says that it turned a Conv1D's matrix, the other that ranks of experts' layers, which it sets itself
    for whatever model has experts, fit none in this one.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to False")
        warnings.filterwarnings("ignore", "The following (rank|alpha)_pattern keys did not match")
        yield


def _merged_by_peft(base: Any, folder: Path) -> Any:
    """Merge an adapter as peft does, for layers that are no plain ones: a mixture's experts, a Conv1D."""
    try:
        with _without_notes_on_what_peft_mends():
            merged = PeftModel.from_pretrained(base, str(folder)).merge_and_unload(safe_merge=True)
    except (ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise PinchError(
            f"the adapter in {folder} cannot be merged into {type(base).__name__}: {error}",
            fix="choose another base model, or method: full",
        ) from error
    vars(merged).pop("peft_config", None)
    return merged.requires_grad_(False).eval()
