"""The card of a mixture: what it holds in which language, from whom, under which licence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polypinch.languages import language
from polypinch.mix import Mixture, amount_text
from polypinch.pool import Pool
from polypinch.publish.cards import front_matter, hub_licence, table


@dataclass(frozen=True)
class Origin:
    """Rows of a mixture that are alike in where they come from.

    Attributes:
        language: its tag.
        source: the data's name.
        licence: as it was said when the data was imported.
        origin: native, translated or model.
        examples: how many.
    """

    language: str
    source: str
    licence: str
    origin: str
    examples: int


def origins(mixture: pa.Table, pool: Pool) -> list[Origin]:
    """Return what a mixture's rows come from, language by language.

    Args:
        mixture: its rows.
        pool: that it was made of.
    """
    items = pc.unique(mixture["item_id"].combine_chunks())
    rows = pool.select(
        ["item_id", "language", "source", "licence", "origin"], pc.field("item_id").isin(items)
    )
    known = {
        (row["item_id"], row["language"]): (row["source"], row["licence"], row["origin"])
        for row in rows.to_pylist()
    }
    pairs = zip(mixture["item_id"].to_pylist(), mixture["language"].to_pylist(), strict=True)
    counts = Counter((pair[1], *known[pair]) for pair in pairs)
    return [Origin(*key, examples=count) for key, count in sorted(counts.items())]


def mixture_card(
    mixture: Mixture, listed: Sequence[Origin], *, title: str, about: Sequence[str], notes: Sequence[str]
) -> str:
    """Return a mixture's card in Markdown, with the fields that the Hub reads.

    Args:
        mixture: the mixture.
        listed: of :func:`origins`.
        title: the heading.
        about: how it was made, a paragraph each.
        notes: what a reader must know, a line each.
    """
    manifest = mixture.manifest
    tags = [line["language"] for line in manifest["languages"] if line["examples"]]
    head = front_matter(
        {
            "license": hub_licence(one.licence for one in listed),
            "language": sorted({tag.split("-")[0] for tag in tags}),
            "task_categories": ["text-generation"],
            "tags": ["polypinch", "instruction-tuning", "multilingual"],
            "size_categories": [_size(manifest["rows"])],
            "configs": [{"config_name": "default", "data_files": "train.jsonl"}],
        }
    )
    unsaid = sum(one.examples for one in listed if one.licence.lower() in ("", "unknown"))
    warnings = [*notes]
    if unsaid:
        warnings.append(f"Of {unsaid:,} rows the licence is not known: whoever shares them has to find out.")
    return "\n".join(
        [
            head,
            f"# {title}\n",
            *(f"{paragraph}\n" for paragraph in about),
            "## Languages: requested against delivered\n",
            delivered_table(manifest),
            "## Where the rows come from\n",
            table(
                ["language", "source", "licence", "origin", "examples"],
                [[one.language, one.source, one.licence, one.origin, one.examples] for one in listed],
            ),
            "`origin` is `native` (by people in that language), `translated` or `model` (written by a"
            " model).\n",
            "## What to know\n" if warnings else "",
            *(f"- {note}" for note in warnings),
            "",
        ]
    )


def delivered_table(manifest: Mapping[str, Any]) -> str:
    """Return a manifest's lines as a table in Markdown."""
    return table(
        ["language", "", "requested", "examples", "share", "tokens", "truncated"],
        [
            [
                line["language"],
                language(line["language"]).name,
                f"{amount_text(line['requested']['amount'])} {line['requested']['unit'].replace('_', ' ')}"
                if line["requested"]
                else "the rest",
                line["examples"],
                f"{line['share']:.1%}",
                line["tokens"],
                line["truncated"],
            ]
            for line in manifest["languages"]
        ],
    )


def _size(rows: int) -> str:
    for limit, name in (
        (1_000, "n<1K"),
        (10_000, "1K<n<10K"),
        (100_000, "10K<n<100K"),
        (1_000_000, "100K<n<1M"),
    ):
        if rows < limit:
            return name
    return "n>1M"
