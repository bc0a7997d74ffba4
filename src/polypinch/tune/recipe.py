"""How a model is tuned."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.models import Precision, Quantization
from polypinch.specs import Spec


class TuneRecipe(Spec):
    """The settings of one tuning run; what a mixture holds is the plan's.

    Attributes:
        method: ``lora`` trains low-rank adapters on all linear layers of the body, ``full`` all weights.
        rank: LoRA's rank.
        alpha: LoRA's scale is ``alpha / rank``.
        dropout: LoRA's dropout.
        learning_rate: the peak; by default 3e-4 for LoRA and 2e-5 for full tuning.
        epochs: passes over the mixture.
        first: a language whose rows are tuned on first, over all epochs, and then the rest: two-stage tuning
            on one schedule, so with a falling learning rate the rest is tuned on at a lower one; ``schedule:
            constant`` keeps it. By default rows of all languages are mixed.
        batch_rows: rows in one optimiser step, whatever the micro-batching.
        schedule: of the learning rate, after the warm-up.
        warmup_share: part of all steps over which it rises from 0.
        weight_decay: AdamW's.
        max_grad_norm: gradients are scaled down to this norm.
        max_length: conversations are cut off beyond, in tokens.
        micro_tokens: tokens in one forward pass; changes memory and speed, not the result.
        precision: ``auto`` is bf16 where the machine multiplies it in hardware, else fp32.
        quantization: ``nf4`` keeps the base in 4 bits while adapters are tuned, for models that a GPU could
            not hold otherwise (the extra ``bnb``). Answering loads the base in ``precision`` and merges the
            adapter into that, so it needs the memory of whole weights and answers slightly differently from
            the 4-bit model that was tuned.
        checkpoint_every: optimiser steps between checkpoints.
        chat_template: a built-in template's name or a Jinja file; the default is the model's own.
        report_to: trackers that follow it: ``wandb``, ``trackio``, ``tensorboard`` (its files stay with the
            tuning), and others as in transformers. A study adds each arm's results.
    """

    method: Literal["lora", "full"] = "lora"
    rank: int = Field(16, gt=0)
    alpha: int = Field(32, gt=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    learning_rate: float | None = Field(None, gt=0)
    epochs: int = Field(2, gt=0)
    # Left out where it is not set, so that recipes from before it keep their fingerprints.
    first: str | None = Field(None, exclude_if=lambda tag: tag is None)
    batch_rows: int = Field(16, gt=0)
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_share: float = Field(0.05, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    max_length: int = Field(1024, gt=1)
    micro_tokens: int = Field(1024, gt=0)
    precision: Precision = "auto"
    quantization: Quantization = "none"
    checkpoint_every: int = Field(50, gt=0)
    chat_template: str | None = None
    report_to: tuple[str, ...] = ()

    @field_validator("first")
    @classmethod
    def _tag(cls, tag: str | None) -> str | None:
        try:
            return None if tag is None else language(tag).tag
        except PinchError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _adapters_alone_on_four_bits(self) -> Self:
        if self.method == "full" and self.quantization != "none":
            raise ValueError("quantised weights cannot be tuned in full: method: lora")
        return self

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate after the warm-up."""
        return self.learning_rate or (3e-4 if self.method == "lora" else 2e-5)
