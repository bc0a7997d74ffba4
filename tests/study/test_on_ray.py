from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from polypinch.errors import PinchError
from polypinch.study import Kind, Resources, read_resources
from polypinch.study.resources import asked
from tests.running import polypinch
from tests.studies import tables, write_study


@pytest.fixture(scope="module")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real cluster of two machines, both here."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 * 2**20})
    cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    yield cluster.address
    cluster.shutdown()


def test_a_cluster_makes_what_one_process_makes_though_a_worker_is_killed(
    ray_cluster: str, tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    alone = polypinch("run", study, "--out", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    command = ["run", study, "--out", tmp_path / "ray", "--on", ray_cluster]
    on_ray = subprocess.Popen(
        [sys.executable, "-m", "polypinch.cli", *map(str, command)], stderr=subprocess.PIPE, text=True
    )
    assert _killed_one_at_work(on_ray)
    _, said = on_ray.communicate(timeout=600)
    assert on_ray.returncode == 0, said
    assert "2 machines" in said
    assert tables(tmp_path / "alone") == tables(tmp_path / "ray")


def _killed_one_at_work(driver: subprocess.Popen[str]) -> bool:
    """Kill a process of the cluster that makes a step, once there is one."""
    while driver.poll() is None:
        for process in psutil.process_iter(["name", "cmdline"]):
            title = " ".join(process.info["cmdline"] or [])
            if title.startswith("ray::tune"):
                process.send_signal(signal.SIGKILL)
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "ray:/127.0.0.1", "raj"])
def test_where_there_is_no_cluster_it_is_said_at_once(
    address: str, tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    study = write_study(tmp_path / "s.yaml", tiny_study, seeds=[1], arms=tiny_study["arms"][:2])
    done = polypinch("run", study, "--out", tmp_path / "out", "--on", address)
    assert done.returncode == 2
    assert address in done.stderr
    assert "ray://HOST:10001" in done.stderr


def test_steps_ask_for_a_gpu_where_they_use_one_and_the_cluster_has_it() -> None:
    assert asked(Kind.TUNE, {}, 8, False) == Resources(cpus=1, gpus=1)
    assert asked(Kind.TUNE, {}, 0, False) == Resources(cpus=1, gpus=0)
    assert asked(Kind.VERDICTS, {}, 8, False).gpus == 0
    assert asked(Kind.VERDICTS, {}, 8, True).gpus == 1
    wanted = read_resources("tune: {gpus: 4, memory_gb: 80}, answers: {gpus: 0.5}")
    assert asked(Kind.TUNE, wanted, 8, False) == Resources(cpus=1, gpus=4, memory_gb=80)
    assert asked(Kind.ANSWERS, wanted, 8, False).gpus == 0.5


@pytest.mark.parametrize("wrong", ["tuen: {gpus: 1}", "tune: {gpu: 1}", "tune: [", "tune: {gpus: -1}"])
def test_resources_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(PinchError, match="--resources"):
        read_resources(wrong)
