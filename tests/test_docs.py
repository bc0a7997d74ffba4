"""The documents are true: their code runs, their commands exist, their files are valid."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from polypinch.cli import app
from polypinch.judge import load_judge
from polypinch.mix import MixPlan
from polypinch.specs import validate
from polypinch.study import Study

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text()
        lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
        lines += re.findall(r"`(polypinch [^`]+)`", text)
        found += [(page.name, line.strip()) for line in lines if line.strip().startswith("polypinch ")]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_in_the_documents_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(re.split(r"  #| > | \| ", line, maxsplit=1)[0])[1:]
    command = get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
    used = {word.split("=")[0] for word in words if word.startswith("-")}
    assert used <= options | {"--help"}, f"{page}: {line}"


def test_the_documents_have_commands() -> None:
    assert len(commands()) > 10


def test_the_readmes_python_runs() -> None:
    blocks = [code for kind, code in BLOCK.findall((ROOT / "README.md").read_text()) if kind == "python"]
    assert len(blocks) == 1
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(blocks[0], "README.md", "exec"), {})
    assert printed.getvalue().strip() == "{'en': 88, 'es': 2, 'fi': 2, 'hi': 2, 'ru': 2}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_examples_are_valid() -> None:
    studies = [
        *sorted((ROOT / "examples").glob("*.yaml")),
        *sorted((ROOT / "examples" / "reproduction").glob("*.yaml")),
        ROOT / "src" / "polypinch" / "study" / "demo.yaml",
    ]
    assert len(studies) >= 2
    for path in studies:
        validate(yaml.safe_load(path.read_text()), Study, path.name)
    for folder in (ROOT / "examples" / "judges").iterdir():
        assert load_judge(str(folder)).kind.name == "pairwise"
    for page in PAGES:
        for kind, block in BLOCK.findall(page.read_text()):
            data = yaml.safe_load(block) if kind == "yaml" else None
            if isinstance(data, dict) and "pool" in data:
                validate(data, Study if "arms" in data else MixPlan, page.name)
