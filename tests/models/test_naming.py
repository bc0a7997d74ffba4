from __future__ import annotations

from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.models import refuse_missing_folder


@pytest.mark.parametrize(
    "name", ["./mine", "../mine", "~/no-such-folder", "/no/such/folder", "models/mien", "a/b/c"]
)
def test_a_folder_that_is_not_there_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    with pytest.raises(PinchError, match="no such folder") as caught:
        refuse_missing_folder(name)
    if name == "models/mien":
        assert "mine" in str(caught.value)


@pytest.mark.parametrize("name", ["models/mine", "owner/name", "gpt2", "./models/mine"])
def test_a_folder_or_a_hub_id_passes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    refuse_missing_folder(name)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    with pytest.raises(PinchError, match="a file, not a folder"):
        refuse_missing_folder(str(tmp_path / "model.gguf"))
