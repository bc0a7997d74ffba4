"""Tables as LaTeX for a paper: booktabs, language × arm, a value and its interval in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polypinch.report.data import ArmInfo, ReportData
from polypinch.report.dosing import dose_table
from polypinch.report.judge import judge_section
from polypinch.report.layout import ArmTable, Head
from polypinch.report.part import Numbers
from polypinch.report.points import baseline, opponents
from polypinch.report.tables import UNKNOWN, manifest_lines, pivot
from polypinch.report.tasks import TaskPart

_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{sign: f"\\{sign}" for sign in "{}$&#%_"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "\N{MINUS SIGN}": "$-$",
        "\N{EN DASH}": "--",
        "\N{NARROW NO-BREAK SPACE}": r"\,",
        # A row that starts with a bracket would be read as the break's length.
        "[": "{[}",
        "]": "{]}",
    }
)
_ONE_LINE = 3  # columns, beyond which an interval stands under its value
_INTERVAL = "with the 95 % interval in brackets"


Cell = str | dict[str, str] | None
"""Text; or an estimate's ``value``, and ``low`` and ``high`` or their ``span``; or nothing measured."""


@dataclass(frozen=True)
class Grid:
    """A table to print, in plain text.

    Attributes:
        caption: above it.
        label: after ``tab:``.
        head: lines of heads.
        rows: each with its cells, and whether a rule parts it from the one above.
        words: how many of the first columns hold words: they stand left, the others right.
    """

    caption: str
    label: str
    head: list[list[str]]
    rows: list[tuple[list[Cell], bool]]
    words: int = 1


def tex(text: str) -> str:
    """Return text as LaTeX that prints it; whitespace, line ends too, becomes single spaces.

    Letters beyond ASCII stay: LaTeX reads UTF-8, given a font that has them.
    """
    return " ".join(text.translate(_SPECIAL).split())


def latex(grids: Sequence[Grid], about: str) -> str:
    """Return tables as the text of a LaTeX file to ``\\input``; ``about`` is a comment at its head."""
    lines = [f"% {' '.join(about.split())}", r"% Needs \usepackage{booktabs}."]
    for grid in grids:
        values = len(grid.head[0]) - grid.words
        stacked = values > _ONE_LINE and any(
            isinstance(cell, dict) for cells, _ in grid.rows for cell in cells
        )
        lines += [
            "",
            r"\begin{table}[tbp]",
            r"\centering",
            rf"\caption{{{tex(grid.caption)}}}",
            rf"\label{{tab:{grid.label}}}",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{4pt}",
            rf"\begin{{tabular}}{{@{{}}{'l' * grid.words}{'r' * values}@{{}}}}",
            r"\toprule",
            *(_row(heads, stacked) for heads in grid.head),
            r"\midrule",
        ]
        for at, (cells, ruled) in enumerate(grid.rows):
            if at and (ruled or stacked):
                lines.append(r"\midrule" if ruled else r"\addlinespace[2pt]")
            lines.append(_row(cells, stacked))
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[Cell], stacked: bool) -> str:
    return " & ".join(_cell(cell, stacked) for cell in cells) + r" \\"


def _cell(cell: Cell, stacked: bool) -> str:
    if cell is None:
        return "--"
    if isinstance(cell, str):
        return tex(cell)
    value = tex(cell["value"])
    span = f"[{tex(cell['low'])}, {tex(cell['high'])}]" if "low" in cell else tex(cell["span"])
    if stacked:
        under = rf"{{\tiny {span}}}"
        return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{value}\\[-2pt]{under}\end{{tabular}}"
    return rf"{value} {{\scriptsize {span}}}"


def latex_tables(
    data: ReportData,
    numbers: dict[str, str],
    tasks: Sequence[TaskPart] = (),
) -> dict[str, str]:
    """Return the report's tables as LaTeX texts by name; one that holds nothing is left out.

    Args:
        data: the report's.
        numbers: the Python number format of each table's values.
        tasks: what the page shows of each task.
    """
    captions = {
        "scores": f"Score against {opponents(data)}, 0 to 100; 50 is parity",
        "fidelity": "Share of answers in the language of their prompt",
        "loss": "Held-out loss, bits per byte of the reference response",
        "loss_change": f"Change in held-out loss against {baseline(data)}, bits per byte; negative is better",
    }
    several = len(data.models) > 1
    grids: dict[str, list[Grid]] = {}
    for at, model in enumerate(data.models, start=1):
        end = f"-{at}" if several else ""
        whose = f" ({model})" if several else ""
        for name, caption in captions.items():
            table = pivot(data, name, model, numbers.get(name, ".3f"))
            if table.rows:
                title = f"{caption}, {_INTERVAL}{whose}."
                grids.setdefault(name, []).append(_pivot_grid(table, title, name.replace("_", "-") + end))
        tests = dose_table(data, model)
        if tests.rows:
            title = f"Which doses can be told{whose}; beside each, the change of {data.leading.title}."
            grids.setdefault("doses", []).append(_pivot_grid(tests, title, f"doses{end}"))
    grids["tasks"] = [
        _pivot_grid(table, f"{part.title}. {table.title}, {_INTERVAL}.", f"{part.file}-{at}")
        for part in tasks
        for at, table in enumerate(part.tables, start=1)
    ]
    for picture in (picture for part in data.parts for picture in part.pictures):
        if picture.numbers is not None and picture.table not in captions:
            grids.setdefault(picture.table, []).append(_picture_grid(picture.numbers, picture.file))
    grids["judge"] = _judge_grids(data)
    grids["mixtures"] = _mixture_grids(data)
    about = f"{data.title}: made with polypinch {data.versions.get('polypinch', '')}"
    return {name: latex(found, about) for name, found in grids.items() if found}


def _pivot_grid(table: ArmTable, caption: str, label: str) -> Grid:
    # One seed tells no noise floor: a column of nothing but that is for the page alone.
    shown = [
        at for at in range(len(table.arms)) if any(row.cells[at] not in (None, UNKNOWN) for row in table.rows)
    ]
    heads = [_heads(table.arms[at]) for at in shown]
    head = [["", *(first for first, _ in heads)], ["", *(second for _, second in heads)]]
    rows: list[tuple[list[Cell], bool]] = [
        ([row.name, *(row.cells[at] for at in shown)], row.first) for row in table.rows
    ]
    return Grid(caption, label, head, rows)


def _picture_grid(table: Numbers, label: str) -> Grid:
    rows: list[tuple[list[Cell], bool]] = [
        ([name, *(cell["value"] if cell and not cell["span"] else cell for cell in cells)], False)
        for name, cells in table.rows
    ]
    return Grid(f"{table.title}, {_INTERVAL}.", label, [list(table.head)], rows)


def _heads(column: ArmInfo | Head) -> tuple[str, str]:
    return (column.label, column.name) if isinstance(column, Head) else (column.name, column.label)


def _judge_grids(data: ReportData) -> list[Grid]:
    section = judge_section(data)
    if section is None:
        return []
    heads = ["arm", *(column.title for column in section.columns)]
    grids = []
    for at, table in enumerate(section.tables, start=1):
        model = table.model
        caption = f"What the scores hang on, over all languages, {_INTERVAL}{f' ({model})' if model else ''}."
        rows: list[tuple[list[Cell], bool]] = [([line.arm.name, *line.cells], False) for line in table.lines]
        grids.append(Grid(caption, f"judge-{at}" if model else "judge", [heads], rows))
    return grids


def _mixture_grids(data: ReportData) -> list[Grid]:
    heads = ["arm", "language", "requested", "delivered", "share"]
    heads += ["tokens", "supervised", "truncated", "duplicates"]
    rows: list[tuple[list[Cell], bool]] = [
        (
            [
                line.arm if line.first else "",
                line.language,
                *(cell.text for cell in line.cells),
            ],
            line.first,
        )
        for line in manifest_lines(data)
    ]
    caption = "Training examples by arm and language, requested and delivered."
    return [Grid(caption, "mixtures", [heads], rows, words=2)] if rows else []
