"""What a model's folder may do here: nothing, unless the user says so.

A folder may bring Python code, and weights as pickles, which are programs too. Both run with all the rights
of the user.
"""

from __future__ import annotations

import os

from polypinch.errors import PinchError

# In the environment, so that the processes which a run starts are told, too.
_CODE, _PICKLES = "POLYPINCH_RUN_MODEL_CODE", "POLYPINCH_LOAD_PICKLES"


def trust_folders(*, code: bool = False, pickles: bool = False) -> None:
    """Allow, from now on and in processes that are started, what is refused by default.

    Args:
        code: run the Python code that a model's folder brings.
        pickles: load weights that are not safetensors.
    """
    for name, allowed in ((_CODE, code), (_PICKLES, pickles)):
        if allowed:
            os.environ[name] = "1"


def runs_code() -> bool:
    """Tell whether a model's own code may run."""
    return os.environ.get(_CODE) == "1"


def loads_pickles() -> bool:
    """Tell whether weights may be pickles."""
    return os.environ.get(_PICKLES) == "1"


def explained(error: Exception, name: str) -> PinchError | None:
    """Return our own message for what transformers refuses for the lack of trust; ``None`` for all else."""
    text = str(error)
    if "trust_remote_code" in text or "custom code" in text:
        return code_refused(name)
    if "safetensors" in text:
        return no_safetensors(name)
    return None


def code_refused(name: str) -> PinchError:
    """Return the refusal of a model's own code."""
    return PinchError(
        f"model {name!r} brings Python code of its own, which would run with all your rights",
        fix="choose a model that transformers knows, or, if you have read that code and trust it,"
        " polypinch --run-model-code COMMAND",
    )


def no_safetensors(name: str) -> PinchError:
    """Return the refusal of weights that are pickles."""
    return PinchError(
        f"the weights of {name!r} are no safetensors but pickles, which are programs",
        fix="save them as safetensors, or, if you trust where they are from,"
        " polypinch --load-pickles COMMAND",
    )
