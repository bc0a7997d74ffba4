"""What a step asks of a cluster."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from polypinch.specs import Spec, read_inline, validate
from polypinch.study.artifacts import Kind


class Resources(Spec):
    """What a step of a kind asks of a cluster while it is made.

    Attributes:
        cpus: or a part of one; one by default.
        gpus: or a part of one; one by default for steps that use it, where the cluster has any.
        memory_gb: gigabytes of memory; not asked for by default.
    """

    cpus: float | None = Field(None, ge=0)
    gpus: float | None = Field(None, ge=0)
    memory_gb: float | None = Field(None, gt=0)


class _Wanted(Spec):
    steps: dict[Kind, Resources]


def read_resources(text: str) -> dict[Kind, Resources]:
    """Read resources as a command line gives them: ``tune: {gpus: 1}, answers: {gpus: 0.5}``, YAML.

    Raises:
        PinchError: it is no YAML, or names a kind of step or a resource that there is not.
    """
    steps = read_inline(text, "--resources", "tune: {gpus: 1}")
    return validate({"steps": steps}, _Wanted, "--resources").steps


_ON_GPUS = {Kind.TUNE, Kind.LOSS, Kind.ANSWERS, Kind.TASK}


def asked(kind: Kind, wanted: Mapping[Kind, Resources], gpus: float, local_judge: bool) -> Resources:
    """Return what a step asks for: what was declared, and for the rest one CPU, and a GPU where it uses one.

    Args:
        kind: of the step.
        wanted: as the study or the command declares it.
        gpus: that the cluster has.
        local_judge: a judge runs in the process of its step.
    """
    own = wanted.get(kind, Resources())
    uses = kind in _ON_GPUS or (kind is Kind.VERDICTS and local_judge)
    return Resources(
        cpus=1.0 if own.cpus is None else own.cpus,
        gpus=(1.0 if uses and gpus >= 1 else 0.0) if own.gpus is None else own.gpus,
        memory_gb=own.memory_gb,
    )
