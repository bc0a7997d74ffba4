from .attention import SEGMENTED, Segments, refuse_recurrent, segment_attention, segmented
from .finding import (
    GEMMA_TERMS,
    Model,
    choose_dtype,
    context_length,
    device,
    find_model,
    gpus,
    home,
    load_model,
    load_tokenizer,
    used,
    vocabulary_size,
)
from .naming import refuse_missing_folder
from .precision import Precision, Quantization
from .trust import loads_pickles, runs_code, trust_folders

__all__ = [
    "GEMMA_TERMS",
    "SEGMENTED",
    "Model",
    "Precision",
    "Quantization",
    "Segments",
    "choose_dtype",
    "context_length",
    "device",
    "find_model",
    "gpus",
    "home",
    "load_model",
    "load_tokenizer",
    "loads_pickles",
    "refuse_missing_folder",
    "refuse_recurrent",
    "runs_code",
    "segment_attention",
    "segmented",
    "trust_folders",
    "used",
    "vocabulary_size",
]
