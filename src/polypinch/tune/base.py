"""One base model in memory for many tunings: adapters come and go, its weights stay what they are."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from polypinch.errors import PinchError
from polypinch.models import Model, Precision, Quantization, choose_dtype, load_model
from polypinch.tune.lora import LoraLinear
from polypinch.tune.recipe import TuneRecipe


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

    def plain(self) -> Any:
        """Return the base without adapters, bit for bit as it was loaded."""
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
        """Return the base with fresh adapters, drawn from torch's global generator."""
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        if self.quantization == "none":
            config._register_custom_module({torch.nn.Linear: LoraLinear})
        self._adapted = get_peft_model(self.plain(), config)
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
        before = {module: module.weight.data for module in base.modules() if type(module) is torch.nn.Linear}
        adapted = PeftModel.from_pretrained(base, str(checkpoint / "adapter"))
        # A safe merge makes new weights beside the old ones, to which plain() goes back.
        merged = adapted.merge_and_unload(safe_merge=True)
        vars(merged).pop("peft_config", None)
        self._originals = {module: old for module, old in before.items() if module.weight.data is not old}
        self._worn = checkpoint
        return merged.eval()

    def release(self) -> None:
        """Let the weights go; they are loaded again when next needed."""
        self._loaded = self._adapted = self._worn = None
        self._originals = {}
        gc.collect()
