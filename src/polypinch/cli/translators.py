"""Who translates, as a command names it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    from polypinch.translate import LocalTranslator, ServerTranslator, Translator


def is_address(name: str) -> bool:
    """Tell whether a name is a server's address."""
    return name.startswith(("http://", "https://"))


def translator_of(
    name: str,
    model: str | None,
    source: str,
    tags: Sequence[str],
    *,
    prompt: str = "plain",
    glossary: Path | None = None,
    prices: Path | None = None,
) -> Translator:
    """Return the translator of a name: a server's address, or a model that is run in this process.

    Raises:
        PinchError: nobody answers there, or it serves several models and none is named; or there is no model.
    """
    if not is_address(name):
        return local_translator(name, source, tags)
    return server_translator(model or _served(name), name, prompt, source, glossary, prices)


def local_translator(name: str, source: str, tags: Sequence[str]) -> LocalTranslator:
    """Return a sequence-to-sequence model as a translator; ``{language}`` in its name is each target's tag.

    Raises:
        PinchError: it is not there, lacks a package, or does not speak a language.
    """
    from polypinch.models import refuse_missing_folder

    for tag in tags:
        refuse_missing_folder(name.replace("{language}", tag))
    from polypinch.translate import LocalTranslator

    translator = LocalTranslator(name, source)
    translator.find(tags)
    return translator


def server_translator(
    model: str, base_url: str | None, prompt: str, source: str, glossary: Path | None, prices: Path | None
) -> ServerTranslator:
    """Return a model behind a server as a translator.

    Raises:
        PinchError: the prompt, the glossary or the prices cannot be read.
    """
    from polypinch.judge import load_prices
    from polypinch.translate import ServerTranslator, load_glossary, load_prompt

    return ServerTranslator(
        model,
        base_url,
        load_prompt(prompt),
        source,
        glossary=load_glossary(glossary) if glossary else None,
        price=load_prices(prices).get(model) if prices else None,
    )


def _served(address: str) -> str:
    """Return the one model that a server has."""
    from polypinch.openai_server import Endpoint

    async def ask() -> list[str]:
        endpoint = Endpoint("", address)
        await endpoint.open()
        try:
            return await endpoint.served()
        finally:
            await endpoint.close()

    models = asyncio.run(ask())
    if len(models) > 1:
        shown = ", ".join(models[:6]) + (", …" if len(models) > 6 else "")
        raise PinchError(f"{address} serves {len(models)} models: {shown}", fix="--translator-model NAME")
    if not models:
        say(
            f"{address} does not list its models: it is asked for 'default' (--translator-model names"
            " another)"
        )
    return models[0] if models else "default"
