"""Answering in a loop of our own: nothing is padded, and a row leaves when its answer ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from polypinch.answer.draw import draw
from polypinch.answer.past import NAME, Past
from polypinch.answer.sampling import Sampling
from polypinch.errors import PinchError
from polypinch.models import segmented

# Prompt tokens in one forward pass: enough for matrix products at full speed, few enough for a cache.
_READ = 1024
_LIKE = 0.05
_DECODABLE: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


@torch.inference_mode()
def decode(
    model: Any, prompts: Sequence[list[int]], sampling: Sampling, seed: int, stops: Collection[int]
) -> list[list[int]]:
    """Answer n tokenised prompts together.

    Args:
        model: a causal language model that :func:`decodable` is true of.
        prompts: their token ids; none is empty.
        sampling: the settings.
        seed: of this batch's randomness; torch's global generator is left alone.
        stops: tokens that end an answer.

    Returns:
        The tokens drawn for each, the one that ended it included.
    """
    device = model.get_output_embeddings().weight.device
    generator = torch.Generator(device).manual_seed(seed)
    past = Past([len(prompt) for prompt in prompts], sampling.max_new_tokens, device)
    answers: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    logits = _Logits(model, len(rows))
    with segmented(model, NAME):
        states = _read(model, prompts, past)
        while True:
            drawn = draw(logits(states), sampling, generator)
            running = []
            for place, (row, token) in enumerate(zip(rows, drawn.tolist(), strict=True)):
                answers[row].append(token)
                if token not in stops and len(answers[row]) < sampling.max_new_tokens:
                    running.append(place)
            if not running:
                return answers
            if len(running) < len(rows):
                order = past.keep(running)
                rows = [rows[place] for place in order]
                drawn = drawn[order]
            positions = [len(prompts[row]) + len(answers[row]) - 1 for row in rows]
            body = model.get_decoder()(
                input_ids=drawn[:, None],
                position_ids=torch.tensor(positions, device=device)[:, None],
                past=past,
                use_cache=False,
            )
            past.column += 1
            states = body.last_hidden_state[:, 0]


def _read(model: Any, prompts: Sequence[list[int]], past: Past) -> Tensor:
    """Read the prompts, some at a time, laid end to end; return each one's last state, (n, d)."""
    found = []
    begin = 0
    while begin < len(prompts):
        end, tokens = begin + 1, len(prompts[begin])
        while end < len(prompts) and tokens + len(prompts[end]) <= _READ:
            tokens += len(prompts[end])
            end += 1
        past.reading(range(begin, end))
        assert past.segments is not None
        offsets = past.segments.offsets
        ids = [token for prompt in prompts[begin:end] for token in prompt]
        places = [place for prompt in prompts[begin:end] for place in range(len(prompt))]
        body = model.get_decoder()(
            input_ids=torch.tensor([ids], device=offsets.device),
            position_ids=torch.tensor([places], device=offsets.device),
            past=past,
            use_cache=False,
        )
        found.append(body.last_hidden_state[0, (offsets[1:] - 1).long()])
        begin = end
    past.drawing()
    return torch.cat(found)


class _Logits:
    """A model's head, writing into one place: fresh pages for every step cost a CPU a tenth of it."""

    def __init__(self, model: Any, n: int) -> None:
        self._head = model.get_output_embeddings()
        self._cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
        weight = self._head.weight
        self._out = torch.empty(n, len(weight), dtype=weight.dtype, device=weight.device)

    def __call__(self, states: Tensor) -> Tensor:
        out = self._out[: len(states)]
        if self._head.bias is None:
            torch.mm(states, self._head.weight.T, out=out)
        else:
            torch.addmm(self._head.bias, states, self._head.weight.T, out=out)
        return out if self._cap is None else out.div_(self._cap).tanh_().mul_(self._cap)


def decodable(model: Any) -> bool:
    """Tell whether this loop computes what the model itself does.

    Asked of the model rather than of a list of names: two short prompts must give the same logits, read and
    then continued, as the model's own forward pass over the whole. Asked once: a study's arms put their
    adapters on the same one.
    """
    if model not in _DECODABLE:
        _DECODABLE[model] = _same_logits(model)
    return _DECODABLE[model]


@torch.inference_mode()
def _same_logits(model: Any) -> bool:
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear or model.get_decoder() is model:
        return False
    device = head.weight.device
    texts = [[5, 6, 7, 8, 9, 10], [11, 12, 13]]
    past = Past([len(text) - 1 for text in texts], 1, device)
    logits = _Logits(model, len(texts))
    try:
        with segmented(model, NAME):
            _read(model, [text[:-1] for text in texts], past)
            body = model.get_decoder()(
                input_ids=torch.tensor([[text[-1]] for text in texts], device=device),
                position_ids=torch.tensor([[len(text) - 1] for text in texts], device=device),
                past=past,
                use_cache=False,
            )
            found = logits(body.last_hidden_state[:, 0]).float()
    except (PinchError, TypeError, ValueError, AttributeError, KeyError, RuntimeError):
        return False
    for row, text in enumerate(texts):
        expected = model(input_ids=torch.tensor([text], device=device), use_cache=False).logits[0, -1].float()
        if not (found[row] - expected).norm() <= _LIKE * expected.norm():
            return False
    return True
