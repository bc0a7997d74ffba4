from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polypinch import files
from polypinch.errors import PinchError


def test_an_artifact_is_finished_only_when_its_work_is(tmp_path: Path) -> None:
    final = tmp_path / "a"
    with pytest.raises(KeyboardInterrupt), files.artifact(final, {"x": 1}) as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt
    assert not final.exists()
    with files.artifact(final, {"x": 1}) as folder:
        assert (folder / "half").exists()
    assert files.is_done(final)
    assert files.read_json(final / "spec.json") == {"x": 1}


def test_what_another_spec_began_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), files.artifact(tmp_path / "a", {"x": 1}) as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt
    with files.artifact(tmp_path / "a", {"x": 2}) as folder:
        assert not (folder / "half").exists()


def test_a_finished_artifact_is_not_overwritten_unasked(tmp_path: Path) -> None:
    for overwrite in (False, True):
        with files.artifact(tmp_path / "a", {"x": 1}, overwrite=overwrite) as folder:
            (folder / "data").write_text(str(overwrite))
    with pytest.raises(PinchError, match="exists already"), files.artifact(tmp_path / "a", {"x": 1}):
        pass
    assert (tmp_path / "a" / "data").read_text() == "True"


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    child = (
        "import sys; from pathlib import Path; from polypinch.files import artifact\n"
        "with artifact(Path(sys.argv[1]), {}): print('in', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", child, str(tmp_path / "a")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(PinchError, match="another process"), files.artifact(tmp_path / "a", {}):
            pass
        other.send_signal(signal.SIGKILL)
    with files.artifact(tmp_path / "a", {}):
        pass
    assert files.is_done(tmp_path / "a")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "table.parquet"
    files.write_table(path, pa.table({"x": [1]}))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.pq, "write_table", full)
    with pytest.raises(PinchError, match="the disk is full"):
        files.write_table(path, pa.table({"x": [2]}))
    assert files.read_table(path)["x"].to_pylist() == [1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.parquet"]


def test_a_truly_full_disk_is_said(tmp_path: Path) -> None:
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=False, capture_output=True
    ).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with (
            pytest.raises(PinchError, match="the disk is full"),
            files.artifact(tmp_path / "a", {}) as folder,
        ):
            files.write_bytes(folder / "data", os.urandom(200_000))
        assert not (tmp_path / "a").exists()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_an_unwritable_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(PinchError, match="no permission to write"), files.artifact(tmp_path / "no" / "a", {}):
        pass


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert files.fingerprint({"a": 1, "b": [1, 2]}) == files.fingerprint({"b": [1, 2], "a": 1})
    assert files.fingerprint({"a": 1}) != files.fingerprint({"a": 2})


def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"\xff\xfe{")
    for read in (files.read_json, files.read_table):
        with pytest.raises(PinchError, match="bad: not"):
            read(bad)
        with pytest.raises(PinchError, match="no such file"):
            read(tmp_path / "none")
