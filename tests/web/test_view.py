"""The explorer, by a real server on this machine."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyarrow.compute as pc
import pytest

from polypinch.judge import outcomes
from polypinch.study import Kind, read_record
from tests.running import polypinch
from tests.web.made import HOSTILE, TAGS, answer_text, made_study, prompt_of

pytest.importorskip("fastapi", reason="pip install 'polypinch[web]'")
pytest.importorskip("duckdb", reason="pip install 'polypinch[web]'")

from polypinch.web.view import AnswerIndex, Filters, Mark, Shown, explorer_app
from tests.web.client import Rater, Reply, serving


class Site:
    """The explorer of one study."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.browser = Rater(port, "")

    def get(self, path: str = "", query: dict[str, object] | list[tuple[str, object]] | None = None) -> Reply:
        more = f"?{urlencode(query)}" if query else ""
        return self.browser.ask("GET", f"/s/study{path}{more}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = made_study(tmp_path_factory.mktemp("view") / "study", items=9)
    with Shown.opened([(folder, read_record(folder))]) as shown, serving(explorer_app(shown)) as port:
        yield Site(folder, port)


def count(page: Reply) -> int:
    found = re.search(r"([\d,]+) answers\n", page.text)
    assert found is not None
    return int(found[1].replace(",", ""))


def test_every_mark_counts_what_the_artifacts_say(site: Site) -> None:
    """The index agrees with fidelity and the protocol, read from the store another way."""
    _, graph, store = read_record(site.folder)
    wanted: dict[str, int] = dict.fromkeys([mark.value for mark in Mark], 0)
    for run in graph.tuned:
        answers, fidelity = store.read(run.answers), store.read(run.fidelity)
        wanted["cut-off"] += pc.sum(pc.equal(answers["finish_reason"], "length")).as_py()
        wanted["wrong-language"] += pc.sum(pc.invert(pc.fill_null(fidelity["in_language"], True))).as_py()
        wanted["abstained"] += fidelity["in_language"].null_count
        found: dict[tuple[str, str], set[str]] = {}
        for one in graph.compared:
            if one.arm is run:
                for row in outcomes(store.read(one.verdicts)).to_pylist():
                    said = found.setdefault((row["item_id"], row["language"]), set())
                    said.add({1.0: "won", 0.0: "lost", 0.5: "tied", None: "judge-failed"}[row["outcome"]])
                    said |= {"flipped"} if row["flipped"] else set()
        for said in found.values():
            for name in said:
                wanted[name] += 1
    assert min(wanted[name] for name in ("won", "lost", "tied", "flipped", "judge-failed", "cut-off")) > 0
    for mark in Mark:
        assert count(site.get("/answers", {"mark": mark.value})) == wanted[mark.value], mark


def test_filters_combine_and_the_address_is_the_view(site: Site) -> None:
    assert count(site.get("/answers")) == 5 * 9 * len(TAGS)
    assert count(site.get("/answers", {"language": "fi"})) == 5 * 9
    assert (
        count(site.get("/answers", [("language", "fi"), ("language", "he"), ("arm", "pinch-4")])) == 2 * 9 * 2
    )
    assert count(site.get("/answers", {"arm": "pinch-4", "seed": "2", "language": "fi", "item": "h3"})) == 1
    assert count(site.get("/answers", {"seed": "none"})) == 9 * len(TAGS)
    both = count(site.get("/answers", [("mark", "lost"), ("mark", "wrong-language")]))
    assert 0 < both < count(site.get("/answers", {"mark": "lost"}))
    assert count(site.get("/answers", {"text": "KOSKA VESI", "arm": "pinch-4"})) == 2 * 9
    assert count(site.get("/answers", {"text": "الضوء الأحمر", "arm": "pinch-4", "seed": "1"})) == 9
    assert count(site.get("/answers", {"text": "nowhere"})) == 0
    for strange in ("'; DROP TABLE facts; --", "%", "_", "\x00", "\\", '"', "{{1}}"):
        page = site.get("/answers", {"text": strange, "item": "", "language": strange})
        assert (page.status, count(page)) == (200, 0)
    assert site.get("/answers", {"page": "999999", "mark": "nothing", "text": ""}).status == 200
    filters = Filters.of([("language", "fi"), ("mark", "won"), ("text", "a & b"), ("page", "3"), ("x", "y")])
    assert filters.query() == "language=fi&mark=won&text=a+%26+b&page=3"


def test_pages_hold_every_answer_once(site: Site) -> None:
    seen = []
    for number in range(1, 6):
        page = site.get("/answers", {"page": number})
        seen += re.findall(r'<article class="answer".*?</article>', page.text, re.S)
        assert ('rel="next"' in page.text) == (number < 5)
    assert len(seen) == len(set(seen)) == 225


def test_a_prompt_shows_each_dose_and_each_verdict(site: Site) -> None:
    page = site.get("/prompt", {"item": "h1", "tag": "he"})
    assert html.escape(prompt_of("h1", "he"), quote=False) in page.text
    for arm, seed in (("untuned", None), ("english", 1), ("english", 2), ("pinch-4", 1), ("pinch-4", 2)):
        shown = answer_text(arm, seed, "h1", "he").split(" ")[0]
        assert shown in page.text
    arms = re.findall(r"<article class=\"answer\">\n<h2>([\w-]+)", page.text)
    assert arms == ["untuned", "english", "english", "pinch-4", "pinch-4"]
    assert page.text.count("this answer first") == page.text.count("this answer second") >= 3
    assert "It is clearer." in page.text
    assert "&lt;i&gt;raw&lt;/i&gt;" in page.text
    assert "first 0.70, second 0.20, tie 0.10" in page.text
    assert '<details class="thought"><summary>Thought</summary>' in page.text
    assert "h0" in page.text
    assert "h2" in page.text
    assert site.get("/prompt", {"item": "none", "tag": "he"}).status == 404


def test_at_a_glance_says_what_the_report_says_and_fades_what_cannot_be_told(site: Site) -> None:
    page = site.get()
    assert "the smallest dose that works is 4" in html.unescape(page.text)
    assert 'class="faded' in page.text
    assert "−0.100" in page.text
    for one in read_record(site.folder)[1].stages():
        assert f"{one.kind.value} {one.name}" in page.text
        assert one.fingerprint[:12] in page.text


def test_rows_say_which_dose_they_came_with_beside_their_source(site: Site) -> None:
    _, graph, store = read_record(site.folder)
    number = next(n for n, run in enumerate(graph.tuned) if (run.arm, run.seed) == ("pinch-4", 1))
    page = site.get("/rows", {"run": number, "tag": "es"})
    table = store.read(graph.tuned[number].mixture)  # type: ignore[arg-type]
    wanted = [row for row in table.to_pylist() if row["language"] == "es"]
    assert f"{len(wanted)} rows" in page.text
    assert page.text.count("came with pinch-4") == len(wanted)
    for row in wanted:
        assert f"Question {row['item_id']} in es?" in page.text
    assert "16 rows" in site.get("/rows", {"run": number}).text
    assert "0 rows" in site.get("/rows", {"run": number, "cut": "1"}).text


def test_what_is_shown_can_be_taken_away(site: Site) -> None:
    query = {"arm": "pinch-4", "seed": "1", "language": "fi"}
    lines = [json.loads(line) for line in site.get("/answers.jsonl", query).text.splitlines()]
    assert [line["text"] for line in lines] == [answer_text("pinch-4", 1, f"h{n}", "fi") for n in range(9)]
    assert lines[0]["prompt"] == prompt_of("h0", "fi")
    reply = site.get("/answers.csv", query)
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert [row["item_id"] for row in rows] == [f"h{n}" for n in range(9)]
    assert reply.headers["content-disposition"] == 'attachment; filename="answers.csv"'


def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path) -> None:
    folder = made_study(
        tmp_path / "study", items=8, seeds=[1], answer=lambda arm, seed, item, tag: "=1+1" + HOSTILE[7]
    )
    with Shown.opened([(folder, read_record(folder))]) as shown, serving(explorer_app(shown)) as port:
        reply = Site(folder, port).get("/answers.csv", {"arm": "english"})
    rows = list(csv.reader(io.StringIO(reply.text)))
    assert len(rows) == 1 + 8 * len(TAGS)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_texts_are_shown_as_they_are_and_nothing_is_fetched(site: Site) -> None:
    pages = [site.get("/answers", {"arm": "pinch-4", "page": n}) for n in (1, 2)]
    pages += [site.get("/prompt", {"item": f"h{n}", "tag": "ar"}) for n in range(8)]
    pages += [site.get("/answers", {"text": text, "item": text}) for text in HOSTILE]
    for page in pages:
        assert page.text.count("<script") == 1
        assert "<img" not in page.text
        assert "<svg" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "&lt;script&gt;" in "".join(page.text for page in pages)


def test_strange_hosts_and_addresses_get_nothing(site: Site) -> None:
    assert site.browser.ask("GET", "/s/study", host="elsewhere.example").status == 421
    for path in ("/s/none", "/s/..%2f", "/static/..%2fguard.py", "/docs", "/openapi.json", "/r/x"):
        assert site.browser.ask("GET", path).status == 404
    assert site.browser.ask("POST", "/s/study/answers", {}).status == 405


def test_a_study_that_runs_shows_what_is_finished_and_then_the_rest(tmp_path: Path) -> None:
    late = {"pinch-4-s1", "pinch-4-against-english-s1"}
    folder = made_study(tmp_path / "study", items=4, seeds=[1], unfinished=lambda stage: stage.name in late)
    record, graph, store = read_record(folder)
    index = AnswerIndex(graph, store)
    try:
        assert index.refresh() == 2
        assert index.count(Filters()) == 2 * 4 * len(TAGS)
        assert index.count(Filters(marks=(Mark.WON,), arms=("pinch-4",))) == 0
        with Shown.opened([(folder, (record, graph, store))]) as shown, serving(explorer_app(shown)) as port:
            page = Site(folder, port).get()
            assert page.status == 200
            assert "still to do" in page.text
            assert "of 2 of 3 runs" in Site(folder, port).get("/answers").text
        made_study(
            folder,
            items=4,
            seeds=[1],
            unfinished=lambda stage: stage.kind is Kind.VERDICTS and stage.name in late,
        )
        index._looked -= 10
        assert index.refresh() == 3
        assert index.count(Filters(marks=(Mark.WON,), arms=("pinch-4",))) == 0
        made_study(folder, items=4, seeds=[1])
        index._looked -= 10
        index.refresh()
        assert index.count(Filters()) == 3 * 4 * len(TAGS)
        assert index.count(Filters(marks=(Mark.WON,), arms=("pinch-4",))) > 0
    finally:
        index.close()


def test_several_studies_stand_side_by_side(tmp_path: Path) -> None:
    folders = [made_study(tmp_path / name / "study", items=3, seeds=[1]) for name in ("one", "other")]
    with Shown.opened([(folder, read_record(folder)) for folder in folders]) as shown:
        assert [one.name for one in shown] == ["study", "study-2"]
        with serving(explorer_app(shown)) as port:
            browser = Rater(port, "")
            page = browser.ask("GET", "/").text
            assert 'href="/s/study"' in page
            assert 'href="/s/study-2"' in page
            assert browser.ask("GET", "/s/study-2/answers").status == 200


def test_the_command_says_its_address_once_and_closes_cleanly(site: Site) -> None:
    code = "from polypinch.cli import main; main()"
    command = [sys.executable, "-u", "-c", code, "view", str(site.folder), "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    line = child.stdout.readline()
    port = int(re.findall(r":(\d+) in", line)[0])
    assert Rater(port, "").ask("GET", "/").status == 303
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, "", "")
    assert "holds no study" in polypinch("view", site.folder / "store").stderr
