"""polypinch export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypinch.cli.studies import recorded
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.publish import Handed


def export_model_command(
    what: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A tuning, a study, a mixture, or what polypinch season made."),
    ],
    *,
    out: Annotated[Path | None, typer.Option(help="The folder of the exported model.")] = None,
    arm: Annotated[str | None, typer.Option(help="Of a study: which arm.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of a study: which training. [default: the first]")] = None,
    model: Annotated[
        str | None, typer.Option(help="The base: of a study of several, or where it now is.")
    ] = None,
    adapter: Annotated[
        bool, typer.Option("--adapter", help="The adapter alone; by default it is merged into the base.")
    ] = False,
    mixture: Annotated[
        Path | None, typer.Option(help="Of a tuning: the mixture's folder, for the model card.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="The base model's licence, for the card.")] = None,
    push: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="Upload to the Hub; the token is $HF_TOKEN.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="A repository that is made is public; else private.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that stands there.")] = False,
) -> None:
    """Hand over a tuned model with its card, for transformers, vLLM, TRL and llama.cpp; or push a mixture.

    Example: polypinch export study --arm pinch-40 --seed 1 --out model --push me/my-model
    """
    if not what.is_dir():
        raise PinchError(f"{what}: no such folder", fix="name a tuning, a study, or a mixture")
    if push is not None:
        from polypinch.publish import refuse_push

        refuse_push(push)
    if arm is None and _is_mixture(what):
        _push_mixture(what, push, public)
        return
    if out is None:
        raise PinchError("where shall the model go?", fix="--out FOLDER")
    from polypinch.publish import OWN, gguf_command, hand_over
    from polypinch.publish import push as upload

    handed = _handed(what, arm, seed, model, mixture)
    hand_over(handed, out, adapter=adapter, licence=licence, overwrite=overwrite)
    say(f"the {'adapter' if adapter else 'model'}: {out}, with its tokenizer, chat template and README.md")
    if not adapter:
        say(f"to serve it: vllm serve {out}\nfor llama.cpp: {gguf_command(out)}")
    if push is not None:
        say(f"pushed: {upload(out, push, 'model', without=OWN, private=not public)}")


def _is_mixture(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() and not (folder / "summary.json").is_file()


def _handed(what: Path, arm: str | None, seed: int | None, model: str | None, mixture: Path | None) -> Handed:
    from polypinch.publish import handed_of_folder, handed_of_study

    if arm is not None:
        record, graph, store = recorded(what)
        return handed_of_study(record, graph, store, arm, seed, model)
    if (what / "study.json").is_file():
        record, _, _ = recorded(what)
        names = ", ".join(one.name for one in record.study.arms)
        raise PinchError(f"{what} is a study: which of its arms?", fix=f"--arm, one of {names}")
    return handed_of_folder(what, model, mixture)


def _push_mixture(folder: Path, name: str | None, public: bool) -> None:
    from polypinch.publish import push, staged_mixture

    if name is None:
        raise PinchError(
            f"{folder} is a mixture, which other trainers read as it is", fix="--push ORG/NAME uploads it"
        )
    with staged_mixture(folder) as staged:
        say(f"pushed: {push(staged, name, 'dataset', private=not public)}")
