"""The next token: the likeliest, or one drawn from the nucleus."""

from __future__ import annotations

import torch
from torch import Tensor

from polypinch.answer.sampling import Sampling

# A nucleus is nearly always within so many tokens; a whole vocabulary takes 20 times as long to sort.
_USUAL = 1024
_BLOCK = 256


def draw(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """Choose each row's next token.

    Above temperature 0 it is drawn from the nucleus: the fewest likeliest tokens whose probabilities sum to
    ``top_p`` or more (Holtzman et al. 2020, arXiv 1904.09751).

    Args:
        logits: (n, v).
        sampling: the temperature and the nucleus' mass.
        generator: of the randomness, on the logits' device.

    Returns:
        (n,) token ids.
    """
    if sampling.temperature == 0:
        return _likeliest(logits)
    probabilities = (logits.float() / sampling.temperature).softmax(-1)
    if sampling.top_p == 1:
        return torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    size = min(_USUAL, probabilities.shape[-1])
    likeliest, tokens = probabilities.topk(size)
    if bool((likeliest.sum(-1) < sampling.top_p).any()):
        likeliest, tokens = probabilities.sort(descending=True)
    # What stands before a token decides, so that the likeliest itself is always in.
    before = likeliest.cumsum(-1) - likeliest
    likeliest[before >= sampling.top_p] = 0
    return tokens.gather(-1, torch.multinomial(likeliest, 1, generator=generator))[:, 0]


def _likeliest(logits: Tensor) -> Tensor:
    """Return each row's argmax, of equals the first: the block with the maximum, then the place in it.

    torch's argmax goes through bf16 one by one on a CPU, which took a sixth of a step; its amax does not.
    """
    n, columns = logits.shape
    if columns % _BLOCK:
        return logits.argmax(-1)
    blocks = logits.view(n, -1, _BLOCK)
    block = blocks.amax(-1).argmax(-1)
    return block * _BLOCK + blocks[torch.arange(n, device=logits.device), block].argmax(-1)
