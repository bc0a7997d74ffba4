"""How the numbers of a model are held, as settings name it."""

from typing import Literal

Precision = Literal["auto", "bf16", "fp32"]
Quantization = Literal["none", "nf4"]
