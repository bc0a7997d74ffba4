from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.models.finding import assemble_gguf, find_model
from tests.tiny import tiny_model


def parts(folder: Path) -> tuple[list[Path], str]:
    made = [folder / f"part{index}" for index in range(3)]
    for index, path in enumerate(made):
        path.write_bytes(bytes([index]) * 1000)
    return made, hashlib.sha256(b"".join(path.read_bytes() for path in made)).hexdigest()


def test_parts_join_to_the_file_with_the_right_checksum(tmp_path: Path) -> None:
    made, sha256 = parts(tmp_path)
    assert assemble_gguf(made, tmp_path / "whole", sha256).read_bytes()[1500] == 1


def test_a_wrong_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    made, sha256 = parts(tmp_path)
    made[1].write_bytes(b"\xff" * 1000)
    with pytest.raises(PinchError, match=r"wrong checksum: SHA-256 [\s\S]*pip install --force-reinstall"):
        assemble_gguf(made, tmp_path / "whole", sha256)
    assert not (tmp_path / "whole").exists()


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    made, sha256 = parts(tmp_path)
    made[2].unlink()
    with pytest.raises(PinchError, match="part2"):
        assemble_gguf(made, tmp_path / "whole", sha256)


def test_a_folders_fingerprint_follows_its_weights(tmp_path: Path) -> None:
    one = find_model(tiny_model(tmp_path / "a", seed=0)).fingerprint
    assert one == find_model(tiny_model(tmp_path / "b", seed=0)).fingerprint
    assert one != find_model(tiny_model(tmp_path / "c", seed=1)).fingerprint


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_is_no_model_is_said(tmp_path: Path, missing: str) -> None:
    folder = Path(tiny_model(tmp_path / "m"))
    (folder / missing).unlink()
    with pytest.raises(PinchError, match=r"config\.json|weights"):
        find_model(str(folder))
