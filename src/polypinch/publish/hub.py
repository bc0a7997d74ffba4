"""A folder on the Hub: a model, or a mixture as a data set. The token is from the environment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import urlsplit

from polypinch.errors import PinchError

TOKEN, ENDPOINT = "HF_TOKEN", "HF_ENDPOINT"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def refuse_push(name: str) -> None:
    """Refuse what could not be pushed, before anything is made.

    Raises:
        PinchError: the name is none of the Hub's, there is no token, or it would go over plain http.
    """
    if not _NAME.fullmatch(name):
        raise PinchError(f"{name!r} is no name on the Hub", fix="--push ORG/NAME")
    if not os.environ.get(TOKEN):
        raise PinchError(f"no token: ${TOKEN} is not set", fix=f"export {TOKEN}=…, one that may write")
    parts = urlsplit(os.environ.get(ENDPOINT, ""))
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise PinchError(
            f"${ENDPOINT} is {parts.hostname} over plain http: a token could be read on the way",
            fix="use https",
        )


def push(
    folder: Path,
    name: str,
    kind: Literal["model", "dataset"],
    *,
    without: Sequence[str] = (),
    private: bool = True,
) -> str:
    """Upload a folder's files; return the address of what they now are.

    Args:
        folder: whose files.
        name: ``ORG/NAME``; made where it is not there.
        kind: what it is.
        without: names of files that stay here.
        private: of a repository that is made; one that is there stays as it is.

    Raises:
        PinchError: as :func:`refuse_push`; or the Hub refuses.
    """
    refuse_push(name)
    from huggingface_hub import HfApi  # noqa: PLC0415  (loads an HTTP client)
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    api = HfApi(endpoint=os.environ.get(ENDPOINT) or None, token=os.environ[TOKEN])
    try:
        with TemporaryDirectory() as staged:
            for path in sorted(folder.iterdir()):
                if path.is_file() and path.name not in without:
                    shutil.copyfile(path, Path(staged) / path.name)
            made = api.create_repo(name, repo_type=kind, private=private, exist_ok=True)
            api.upload_folder(
                repo_id=name, folder_path=staged, repo_type=kind, commit_message="Made with polypinch"
            )
    except (HfHubHTTPError, OSError, ValueError) as error:
        said = " ".join(str(error).replace(os.environ[TOKEN], "…").split())[:300]
        raise PinchError(
            f"{name} could not be pushed: {said}",
            fix=f"see that ${TOKEN} may write to {name.partition('/')[0]}",
        ) from None
    return str(made)
