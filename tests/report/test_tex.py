import re
from dataclasses import replace
from pathlib import Path

import pytest

from polypinch.report import write_report
from polypinch.report.tex import Grid, latex, tex
from tests.report.fake import study, without

SMALL = study(doses=(0, 8, 72), seen=("es", "fi"), unseen=("ar",))


def rows(text: str) -> list[list[str]]:
    """The cells of every row of a LaTeX text."""
    lines = [line for line in text.splitlines() if line.endswith(r" \\")]
    return [re.split(r"(?<!\\)&", line.removesuffix(r"\\")) for line in lines]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    write_report(SMALL, directory)
    return directory / "tables"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (r"50 % of a_b & {c} #1 $x \y", r"50 \% of a\_b \& \{c\} \#1 \$x \textbackslash{}y"),
        ("~^<|>", r"\textasciitilde{}\textasciicircum{}\textless{}\textbar{}\textgreater{}"),
        ("−0.01 to +0.02", "$-$0.01 to +0.02"),
        ("[2 ex] a\n\n\\\\ b", r"{[}2 ex{]} a \textbackslash{}\textbackslash{} b"),
        ("العربية, 中文", "العربية, 中文"),
    ],
)
def test_text_is_printed_as_it_stands(text: str, printed: str) -> None:
    assert tex(text) == printed


@pytest.mark.parametrize("name", ["scores", "judge", "fidelity", "loss", "loss_change", "mixtures"])
def test_every_table_is_whole_and_ruled_as_booktabs_asks(tables: Path, name: str) -> None:
    text = (tables / f"{name}.tex").read_text(encoding="utf-8")
    columns = re.findall(r"\\begin\{tabular\}\{@\{\}(\w+)@\{\}\}", text)
    assert len(columns) == 1
    assert {len(row) for row in rows(text)} == {len(columns[0])}
    bare = re.sub(r"\\.", "", text)
    assert bare.count("{") == bare.count("}")
    assert re.findall(r"\\(toprule|bottomrule|hline|cline)", text) == ["toprule", "bottomrule"]
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}")


def test_a_cell_has_the_page_s_value_and_interval(tables: Path) -> None:
    found = {
        row[0].strip(): row[1:] for row in rows((tables / "loss_change.tex").read_text(encoding="utf-8"))
    }
    row = next(r for r in SMALL.loss_change if r.language == "seen" and r.arm == "mixed")
    numbers = [f"{getattr(row, name):+.4f}".replace("-", "$-$") for name in ("value", "low", "high")]
    assert found["Seen average"][-1].strip() == rf"{numbers[0]} {{\scriptsize [{numbers[1]}, {numbers[2]}]}}"


def test_arms_stand_in_order_of_dose_and_groups_are_parted(tables: Path) -> None:
    text = (tables / "loss.tex").read_text(encoding="utf-8")
    assert [cell.strip() for cell in rows(text)[0]] == ["", "untuned", "english", "pinch-8", "mixed"]
    assert [cell.strip() for cell in rows(text)[1]][2:] == ["0 of 96", "8 of 96", "72 of 96"]
    # Below the heads, and before the averages: the base language and a language alone have none.
    assert text.count(r"\midrule") == 2


def test_many_arms_put_the_interval_under_its_value(tmp_path: Path) -> None:
    write_report(study(doses=(0, 4, 8, 16, 72)), tmp_path)
    text = (tmp_path / "tables/loss.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{tabular}[t]") > 12 * 5
    assert r"\scriptsize" not in text


def test_each_base_model_has_its_own_table(tmp_path: Path) -> None:
    write_report(study(models=("a_b/c", "d"), doses=(0, 8), seen=("es",), unseen=("fi",)), tmp_path)
    text = (tmp_path / "tables/fidelity.tex").read_text(encoding="utf-8")
    assert re.findall(r"\\label\{(.*)\}", text) == ["tab:fidelity-1", "tab:fidelity-2"]
    assert r"(a\_b/c)" in text


def test_no_name_can_command_latex(tmp_path: Path) -> None:
    evil = r"\input{/etc/passwd}% & \\ [9pt]" + "\n\\end{table}"
    arms = [replace(arm, label=evil) for arm in SMALL.arms]
    languages = [replace(one, name=f"{one.tag} {evil}") for one in SMALL.languages]
    write_report(replace(SMALL, title=evil, arms=arms, languages=languages), tmp_path)
    for path in (tmp_path / "tables").glob("*.tex"):
        body = "\n".join(path.read_text(encoding="utf-8").splitlines()[1:])
        assert r"\input" not in body
        assert body.count(r"\end{table}") == body.count(r"\begin{table}") > 0


def test_a_table_with_nothing_in_it_is_left_out_and_an_earlier_one_removed(tmp_path: Path) -> None:
    write_report(SMALL, tmp_path)
    (tmp_path / "tables/own.tex").write_text("mine")
    write_report(without(SMALL, "scores", "judge"), tmp_path)
    assert {path.stem for path in (tmp_path / "tables").glob("*.tex")} == {
        *("doses", "fidelity", "loss", "loss_change", "mixtures", "own")
    }


def test_an_unmeasured_cell_is_a_dash() -> None:
    text = latex([Grid("c", "l", [["", "a"]], [(["x", None], False)])], "about\n\\end{document}")
    assert text.splitlines()[0] == r"% about \end{document}"
    assert rows(text)[-1][1].strip() == "--"
