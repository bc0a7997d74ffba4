"""polypinch judge export: verdicts and answers for other tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypinch.cli.options import Json
from polypinch.cli.show import print_json
from polypinch.errors import PinchError
from polypinch.progress import say

if TYPE_CHECKING:
    import pyarrow as pa


class Tool(StrEnum):
    """Whose files to write."""

    alpaca_eval = "alpaca-eval"
    fastchat = "fastchat"


def export_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Verdicts that polypinch compare --out wrote, or answers.")
    ],
    *,
    to: Annotated[Tool, typer.Option(help="The tool that shall read them.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    ours: Annotated[
        Path | None, typer.Option(help="The first answers compared; AlpacaEval keeps texts with verdicts.")
    ] = None,
    theirs: Annotated[Path | None, typer.Option(help="The answers they were compared with.")] = None,
    prompts: Annotated[str | None, typer.Option(help="The pool that was answered.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The model's name, for answers. [default: the file's]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write verdicts or answers as AlpacaEval's or FastChat's files, to be scored by those tools.

    Verdicts become annotations.json or JUDGE_pair.jsonl, answers model_outputs.json or MODEL.jsonl.

    Example: polypinch judge export verdicts.parquet --to fastchat --out gpt-4_pair.jsonl
    """
    from polypinch.files import read_table
    from polypinch.judge import VERDICT_SCHEMA
    from polypinch.judge.interchange import write_alpaca_eval, write_json_lines

    table = read_table(file)
    judged = set(VERDICT_SCHEMA.names) <= set(table.column_names)
    if judged:
        rows = _verdicts(table, to, ours, theirs, prompts)
    else:
        rows = _answers(file, table, to, prompts, name or file.stem)
    write = write_alpaca_eval if to is Tool.alpaca_eval else write_json_lines
    write(out, rows)
    if as_json:
        print_json({"path": str(out), "rows": len(rows), "kind": "verdicts" if judged else "answers"})
    else:
        say(f"{len(rows):,} rows in {out}")


def _verdicts(
    table: pa.Table, to: Tool, ours: Path | None, theirs: Path | None, prompts: str | None
) -> list[dict[str, Any]]:
    from polypinch.judge import read_pairs
    from polypinch.judge.interchange import pair_annotations, pair_judgments
    from polypinch.judge.labels import judged
    from polypinch.pool import open_pool

    if to is Tool.fastchat:
        return pair_judgments(table)
    if ours is None or theirs is None:
        raise PinchError(
            "AlpacaEval keeps prompts and answers with every verdict",
            fix="name the answers that were compared: --ours FILE --theirs FILE, and --prompts POOL",
        )
    texts = read_pairs(ours, theirs, open_pool(prompts) if prompts else None)
    return [
        row
        for one in judged(table).values()
        for row in pair_annotations(one.verdicts, texts, orders=one.orders)
    ]


def _answers(file: Path, table: pa.Table, to: Tool, prompts: str | None, name: str) -> list[dict[str, Any]]:
    from polypinch.answer import ANSWER_SCHEMA
    from polypinch.conversation import instruction
    from polypinch.judge.interchange import model_answers, model_outputs
    from polypinch.pool import open_pool

    # Answers made before thoughts were told from them have no column for those.
    needed = [column for column in ANSWER_SCHEMA.names if column != "thought"]
    lacking = [column for column in needed if column not in table.column_names]
    if lacking:
        raise PinchError(
            f"{file}: neither verdicts nor answers: no column {', '.join(lacking)}",
            fix="give verdicts that polypinch compare wrote, or answers that polypinch answer wrote",
        )
    if to is Tool.fastchat:
        return model_answers(table, name)
    if prompts is None:
        raise PinchError("AlpacaEval keeps the prompt with every answer", fix="name the pool with --prompts")
    pool = open_pool(prompts).select(["item_id", "language", "messages"]).to_pylist()
    shown = {(row["item_id"], row["language"]): instruction(row["messages"]) for row in pool}
    return model_outputs(table, shown, name)
