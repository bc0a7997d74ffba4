"""A study's steps as tasks of a Ray cluster: Ray places them, and makes them again where a machine dies.

A step is sent as the study, the store and the step's fingerprint, for what makes it cannot be sent; a process
of the cluster lays the study out once, and keeps the base model that it loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polypinch.errors import PinchError
from polypinch.files import canonical_json
from polypinch.locks import Busy
from polypinch.models import home
from polypinch.openai_server import ALLOWED_VARIABLES, allowed_variables
from polypinch.progress import say
from polypinch.specs import validate
from polypinch.study.artifacts import Kind
from polypinch.study.elsewhere import is_elsewhere, open_store
from polypinch.study.graph import build
from polypinch.study.inputs import Inputs, open_inputs
from polypinch.study.resources import Resources, asked
from polypinch.study.running.here import duration, noted
from polypinch.study.runs import Graph
from polypinch.study.searching import so_far
from polypinch.study.spec import Study
from polypinch.study.store import Damaged, Stage, State, Store

_RETRIES = 5
_AGAIN_S = 2.0


class Ended(StrEnum):
    """In what way a task ended."""

    MADE = "made"
    STOOD = "stood"
    BUSY = "busy"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        ended: in what way.
        seconds: it took.
        damaged: the fingerprint of what it needs and is not what it was.
    """

    ended: Ended
    seconds: float = 0.0
    damaged: str = ""


@lru_cache(maxsize=2)
def _laid_out(study: str, where: str) -> tuple[dict[str, Stage], Store]:
    store = open_store(where, home() / "stores" / hashlib.sha256(where.encode()).hexdigest()[:12])
    stages = build(open_inputs(validate(json.loads(study), Study, "the study")), store).stages()
    return {stage.fingerprint: stage for stage in stages}, store


def make_step(study: str, where: str, cwd: str, mark: str) -> Outcome:
    """Make one step of a study; this runs in a process of the cluster.

    Args:
        study: as JSON.
        where: its store, a folder that every machine sees or an address.
        cwd: what paths in the study are relative to, where this machine has it.
        mark: the step's fingerprint.

    Raises:
        PinchError: the step failed, or this machine does not see the store.
    """
    if Path(cwd).is_dir():
        os.chdir(cwd)
    stages, store = _laid_out(study, where)
    stage = stages[mark]
    lacking = next((need for need in stage.needs if store.state(need) is not State.DONE), None)
    if lacking is not None:
        raise PinchError(
            f"{socket.gethostname()} does not see {lacking.kind} {lacking.name} in the store {where}",
            fix="name a folder with --store that every machine of the cluster sees, or s3://bucket/folder",
        )
    started = time.monotonic()
    try:
        try:
            made = store.make(stage)
        except Damaged as damaged:
            store.mend(damaged)
            return Outcome(Ended.DAMAGED, damaged=damaged.stage.fingerprint)
    except Busy:
        return Outcome(Ended.BUSY)
    return Outcome(Ended.MADE if made else Ended.STOOD, time.monotonic() - started)


def run_on_ray(
    inputs: Inputs,
    graph: Graph,
    store: Store,
    out: Path,
    address: str | None = None,
    wanted: Mapping[Kind, Resources] | None = None,
) -> None:
    """Make a study's steps on a Ray cluster; what is left, or why nothing can go on, is for ``run_study``.

    Args:
        inputs: the study's.
        graph: all that it could take.
        store: where it is made: a folder that every machine sees, or an address.
        out: the study's folder, with its record.
        address: the cluster's, ``ray://host:port``; without one the cluster that this machine belongs to, or
            one that is begun here.
        wanted: what steps ask for, beyond what the study says.

    Raises:
        PinchError: Ray is not installed or not reached; or a step failed: what was finished is kept.
    """
    ray = joined(address)
    try:
        cluster = Counter(ray.cluster_resources())
        say(f"on Ray: {cluster['CPU']:g} CPUs, {cluster['GPU']:g} GPUs, {len(ray.nodes())} machines")
        judge = inputs.judging
        by_kind = {
            kind: asked(
                kind,
                {**inputs.study.resources, **(wanted or {})},
                cluster["GPU"],
                judge is not None and judge.spec.local,
            )
            for kind in Kind
        }
        _refuse_more_than_there_is(by_kind, cluster)
        study = canonical_json(inputs.study.model_dump(mode="json"))
        where = str(store) if is_elsewhere(str(store)) else str(store.root.resolve())
        given = study, where, str(Path.cwd())
        while True:
            _, now = so_far(inputs, graph, store)
            Tasks(ray, store, out, by_kind, make_step, given).make(now.stages())
            if now.steps is None:
                return
    finally:
        ray.shutdown()


def joined(address: str | None, **begun: Any) -> Any:
    """Return Ray, joined to a cluster.

    Args:
        address: the cluster's; see :func:`run_on_ray`.
        begun: how one is begun, where there is none.

    Raises:
        PinchError: Ray is not installed, or there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise PinchError("Ray is not installed", fix='pip install "polypinch[ray]"') from error
    if address is not None:
        _refuse_unreachable(address)
    shared = {ALLOWED_VARIABLES: ",".join(sorted(allowed_variables()))}
    # One thread for a task on one CPU is Ray's own rule; whoever asks for others gets them everywhere.
    shared |= {name: os.environ[name] for name in ("OMP_NUM_THREADS",) if name in os.environ}
    shared["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        ray.init(
            address=address,
            runtime_env={"env_vars": shared},
            log_to_driver=False,
            logging_level="ERROR",
            **begun,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0][:300]
        raise PinchError(
            f"no Ray cluster at {address or 'this machine'}: {first}",
            fix="ray start --head begins one; ray://host:10001 names one elsewhere",
        ) from error
    return ray


def _refuse_unreachable(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself would try for minutes, and then end the process."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None:
        raise PinchError(f"{address!r} is no cluster's address", fix="--on ray, or --on ray://HOST:10001")
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError as error:
        raise PinchError(
            f"no Ray cluster at {address}: {error}",
            fix="ray start --head begins one; ray://HOST:10001 names one elsewhere",
        ) from error


def _refuse_more_than_there_is(by_kind: Mapping[Kind, Resources], cluster: Mapping[str, float]) -> None:
    for kind, own in by_kind.items():
        for what, name in ((own.cpus, "CPU"), (own.gpus, "GPU")):
            has = cluster.get(name, 0.0)
            if (what or 0.0) > has:
                raise PinchError(
                    f"resources: {kind} asks for {what:g} {name}s, and the cluster has {has:g}",
                    fix=f"ask for less, such as --resources '{kind}: {{{name.lower()}s: 1}}'",
                )


class Tasks:
    """Steps under way on a cluster.

    Args:
        ray: the module, joined to its cluster.
        store: where steps are made.
        out: the study's folder, where others look who works on it.
        by_kind: what each kind of step asks for.
        make: makes a step in a process of the cluster: of ``given`` and the step's fingerprint.
        given: what it is given of the study.
    """

    def __init__(
        self,
        ray: Any,
        store: Store,
        out: Path,
        by_kind: Mapping[Kind, Resources],
        make: Callable[..., Outcome],
        given: tuple[object, ...],
    ) -> None:
        self._ray, self._store, self._out, self._by_kind = ray, store, out, by_kind
        self._make, self._given = make, given
        self._under_way: dict[Any, Stage] = {}
        self._again_at: dict[str, float] = {}

    def make(self, stages: Sequence[Stage]) -> None:
        """Make what is not there yet.

        Raises:
            PinchError: a step failed.
        """
        self._store.share(stages)
        left = {stage.fingerprint: stage for stage in stages if self._store.state(stage) is not State.DONE}
        whole, to_do, started = len(stages), len(left), time.monotonic()
        if to_do < whole:
            say(f"{whole - to_do} of {whole} steps are done already")
        with noted(self._out, whole) as note:
            try:
                while left:
                    self._begin(left)
                    for stage, outcome in self._ended():
                        if outcome.ended is Ended.BUSY:
                            self._again_at[stage.fingerprint] = time.monotonic() + _AGAIN_S
                        elif outcome.ended is Ended.DAMAGED:
                            again = next(one for one in stages if one.fingerprint == outcome.damaged)
                            left[again.fingerprint] = again
                        else:
                            del left[stage.fingerprint]
                            self._say(stage, outcome, to_do - len(left), to_do, started)
                    doing = f"{len(self._under_way)} steps on Ray"
                    note.write(whole - len(left), doing, _time_left(to_do, len(left), started))
            except BaseException:
                for task in self._under_way:
                    self._ray.cancel(task, force=True)
                raise

    def _begin(self, left: Mapping[str, Stage]) -> None:
        """Hand over what is ready."""
        given = {stage.fingerprint for stage in self._under_way.values()}
        for mark, stage in left.items():
            late = self._again_at.get(mark, 0.0) > time.monotonic()
            if mark in given or late or any(need.fingerprint in left for need in stage.needs):
                continue
            own = self._by_kind[stage.kind]
            step = self._ray.remote(self._make).options(
                name=f"{stage.kind} {stage.name}",
                num_cpus=own.cpus,
                num_gpus=own.gpus,
                max_retries=_RETRIES,
                **({"memory": int(own.memory_gb * 1e9)} if own.memory_gb else {}),
            )
            self._under_way[step.remote(*self._given, mark)] = stage

    def _ended(self) -> list[tuple[Stage, Outcome]]:
        """Return the tasks that ended by now, after a second at most."""
        if not self._under_way:
            time.sleep(_AGAIN_S / 4)
            return []
        ready, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=1.0)
        return [(self._under_way.pop(task), self._result(task)) for task in ready]

    def _result(self, task: Any) -> Outcome:
        errors = self._ray.exceptions
        try:
            outcome = self._ray.get(task)
        except errors.RayTaskError as error:
            if isinstance(error.cause, PinchError):
                raise error.cause from None
            raise
        except errors.OutOfMemoryError as error:
            raise PinchError(
                "a step ran out of memory on its machine, again and again",
                fix="ask for more: resources: {tune: {memory_gb: 16}}, so that fewer share a machine",
            ) from error
        except (errors.WorkerCrashedError, errors.NodeDiedError) as error:
            raise PinchError(
                f"a step's process died {_RETRIES} times: {str(error).splitlines()[0]}",
                fix="look at that machine; finished steps are kept, run again",
            ) from error
        assert isinstance(outcome, Outcome)
        return outcome

    def _say(self, stage: Stage, outcome: Outcome, done: int, to_do: int, started: float) -> None:
        if outcome.ended is Ended.MADE:
            say(
                f"[{done:>{len(str(to_do))}}/{to_do}] {stage.kind:<8} {stage.name:<28}"
                f" {duration(outcome.seconds):>12}   {_time_left(to_do, to_do - done, started)}".rstrip()
            )


def _time_left(to_do: int, left: int, started: float) -> str:
    """Tell by throughput: as many steps a second as so far."""
    done = to_do - left
    if not left or not done:
        return ""
    return f"about {duration((time.monotonic() - started) / done * left)} left"
