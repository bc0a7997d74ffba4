from .attention import Segments, segment_attention, segmented
from .finding import (
    GEMMA_TERMS,
    Model,
    choose_dtype,
    device,
    find_model,
    home,
    load_model,
    load_tokenizer,
    vocabulary_size,
)
from .precision import Precision, Quantization

__all__ = [
    "GEMMA_TERMS",
    "Model",
    "Precision",
    "Quantization",
    "Segments",
    "choose_dtype",
    "device",
    "find_model",
    "home",
    "load_model",
    "load_tokenizer",
    "segment_attention",
    "segmented",
    "vocabulary_size",
]
