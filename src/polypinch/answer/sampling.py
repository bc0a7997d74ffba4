"""How answers are drawn."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from polypinch.models import Precision
from polypinch.specs import Seed, Spec


class EngineName(StrEnum):
    """What draws answers in this process."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"


class Sampling(Spec):
    """The settings of answering.

    Attributes:
        max_new_tokens: an answer ends here if not before.
        temperature: 0 is greedy; above it, nucleus sampling.
        top_p: the nucleus' probability mass.
        samples: answers to each prompt; more than one needs a temperature.
        seed: of the sampling.
        batch_tokens: prompts and answers of one batch hold at most this many tokens.
        precision: of the weights.
        engine: what draws: ``transformers``, or ``vllm`` (an extra), which holds the base once for all arms.
    """

    max_new_tokens: int = Field(256, gt=0)
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    samples: int = Field(1, gt=0)
    seed: Seed = 0
    batch_tokens: int = Field(16384, gt=0)
    precision: Precision = "auto"
    # Left out where it is not set, so that answers from before it keep their fingerprints.
    engine: EngineName = Field(
        EngineName.TRANSFORMERS, exclude_if=lambda name: name is EngineName.TRANSFORMERS
    )
