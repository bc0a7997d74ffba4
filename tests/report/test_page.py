import base64
import csv
import hashlib
import json
import math
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from polypinch.errors import PinchError
from polypinch.report import Conclusion, ReportData, Step, record, write_report
from polypinch.report.figures import FIGURES
from tests.report.fake import study, without

SMALL = study(doses=(0, 8, 72), seen=("es", "fi"), unseen=("ar",))
HOSTILE = "</script><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 7 }}"


class Page(HTMLParser):
    """What a browser would act on: elements, addresses it would fetch, and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif self._inside != "style":
            self.text += data


def written(data: ReportData, directory: Path) -> tuple[str, Page]:
    html = write_report(data, directory).read_text(encoding="utf-8")
    return html, Page(html)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Page]:
    directory = tmp_path_factory.mktemp("report")
    html, page = written(study(), directory)
    return directory, html, page


def test_writes_the_page_every_table_and_every_figure(full: tuple[Path, str, Page]) -> None:
    directory, html, _ = full
    tables = ("scores", "judge", "fidelity", "loss", "loss_change", "mixtures")
    assert {path.name for path in (directory / "tables").iterdir()} == {
        *(f"{name}.csv" for name in (*tables, "noise", "doses", "curves", "steps")),
        *(f"{name}.tex" for name in (*tables, "doses")),
    }
    figures = sorted((directory / "figures").glob("*.svg"))
    assert len(figures) == len(FIGURES) + 1
    pictures = {path.stem for path in (directory / "figures").glob("*.pdf")}
    assert pictures == {path.stem for path in figures}
    for path in figures:
        assert ElementTree.fromstring(path.read_text(encoding="utf-8")).tag.endswith("svg")
    assert len(html.encode()) < 3_000_000


def test_still_pictures_on_the_page_say_what_the_figures_say(full: tuple[Path, str, Page]) -> None:
    directory, _, page = full
    for attrs in (attrs for tag, attrs in page.tags if tag == "img"):
        still = ElementTree.fromstring(base64.b64decode((attrs["src"] or "").split(",")[1]))
        own = [one for tag, one in page.tags if tag == "div" and one.get("aria-label") == attrs["alt"]]
        figure = (own[0]["data-spec"] or "").removeprefix("spec-")
        drawn = ElementTree.fromstring((directory / f"figures/{figure}.svg").read_text(encoding="utf-8"))
        texts = [
            [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")] for tree in (still, drawn)
        ]
        assert len(texts[0]) > 3
        assert texts[0] == texts[1]


def test_page_fetches_nothing(full: tuple[Path, str, Page]) -> None:
    _, html, page = full
    for _, attrs in page.tags:
        for name in ("src", "srcset", "action", "data", "poster", "background"):
            assert (attrs.get(name) or "data:").startswith("data:")
        assert not re.match(r"(https?:)?//", attrs.get("href") or "")
    styles = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert styles
    assert not re.search(r"url\(|@import", "".join(styles))
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base"}


def test_policy_lets_only_the_page_s_own_script_run(full: tuple[Path, str, Page]) -> None:
    _, _, page = full
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv"))
    running = [text for attrs, text in page.scripts if "type" not in attrs]
    assert len(running) == 1
    digest = base64.b64encode(hashlib.sha256(running[0].encode()).digest()).decode()
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path) -> None:
    data = SMALL
    bad_arms = [replace(arm, label=HOSTILE) for arm in data.arms]
    bad_languages = [replace(one, name=f"{one.tag}{HOSTILE}", autonym=HOSTILE) for one in data.languages]
    bad_samples = [
        replace(one, prompt=HOSTILE, reference=HOSTILE, answers=dict.fromkeys(one.answers, HOSTILE))
        for one in data.samples
    ]
    bad = replace(
        data, title=HOSTILE, answer=HOSTILE, details=[(HOSTILE, HOSTILE)], caveats=[HOSTILE], arms=bad_arms,
        languages=bad_languages, samples=bad_samples, settings={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
        steps=[Step(*[HOSTILE] * 4, 1, *[HOSTILE] * 5, 2.0, HOSTILE)],
    )  # fmt: skip
    html, page = written(bad, tmp_path)
    assert "<img src=x" not in html
    assert all("onerror" not in attrs for _, attrs in page.tags)
    assert sum("type" not in attrs for attrs, _ in page.scripts) == 1
    assert "{{ 7 * 7 }}" in page.text
    specs = [json.loads(text) for attrs, text in page.scripts if attrs.get("type") == "application/json"]
    assert any(HOSTILE in json.dumps(spec) for spec in specs)


def test_a_hostile_model_name_names_no_file_elsewhere(tmp_path: Path) -> None:
    data = study(models=("../../up", "org/model b"), doses=(0, 8), seen=("es",), unseen=())
    write_report(data, tmp_path / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report/figures/loss-by-dose-2-org-model-b.svg").is_file()


def test_a_person_with_a_minute_reads_the_verdict_its_picture_endpoints_doubts_and_contents(
    full: tuple[Path, str, Page],
) -> None:
    _, html, _ = full
    data = study()
    texts = (
        f'<h1 class="short">{data.conclusions[0].short}</h1>',
        "<figure>", 'class="ticks"', "what would settle it",
        data.details[0][1][:60], data.caveats[0][:60], 'aria-label="Contents"',
        '<section id="dose-response">',
    )  # fmt: skip
    places = [html.index(text) for text in texts]
    assert places == sorted(places)


def test_contents_lead_to_every_section(full: tuple[Path, str, Page]) -> None:
    _, _, page = full
    links = [
        attrs["href"] for tag, attrs in page.tags if tag == "a" and (attrs["href"] or "").startswith("#")
    ]
    assert links == [f"#{attrs['id']}" for tag, attrs in page.tags if tag == "section"]


def test_a_study_without_a_ladder_of_doses_begins_with_its_answer(tmp_path: Path) -> None:
    data = replace(SMALL, conclusions=[Conclusion("m", "", "Nothing to tell doses by.")])
    html, page = written(data, tmp_path)
    assert "<h1>Nothing to tell doses by.</h1>" in html
    assert "ticks" not in {attrs.get("class") for _, attrs in page.tags}
    assert not (tmp_path / "figures/doses-at-a-glance.svg").exists()


def test_what_rests_on_one_item_is_not_drawn(tmp_path: Path) -> None:
    alone = [replace(row, n_items=1) for row in SMALL.fidelity]
    written(replace(SMALL, fidelity=alone), tmp_path)
    assert not (tmp_path / "figures/fidelity-by-dose.svg").exists()
    assert (tmp_path / "tables/fidelity.csv").exists()


def test_settings_left_at_their_defaults_are_folded(tmp_path: Path) -> None:
    data = replace(
        SMALL, settings={"study": {"base": "en"}}, defaults={"study": {"base": "en", "seeds": [3]}}
    )
    html, _ = written(data, tmp_path)
    changed, folded = html[html.index("What was set") :].split("Settings left at their defaults")
    assert "study.base" in changed
    assert "study.seeds" in folded
    assert "study.base" not in folded


def test_right_to_left_languages_are_marked_so(full: tuple[Path, str, Page]) -> None:
    _, _, page = full
    directions = {
        attrs["lang"]: attrs["dir"] for tag, attrs in page.tags if tag == "summary" and "lang" in attrs
    }
    assert directions["ar"] == directions["he"] == "rtl"
    assert directions["fi"] == directions["zh"] == "ltr"
    answers = [attrs for tag, attrs in page.tags if tag == "p" and attrs.get("dir") == "auto"]
    assert len(answers) == sum(len(one.answers) for one in study().samples)


def test_answers_in_another_language_say_so(full: tuple[Path, str, Page]) -> None:
    _, _, page = full
    samples = [one for one in study().samples if one.language == "fi"]
    wrong = sum(flag is False for one in samples for flag in one.in_language.values())
    assert wrong > 0
    assert page.text.count("not in Finnish") == wrong


def test_long_answers_are_cut(tmp_path: Path) -> None:
    data = SMALL
    long = replace(data.samples[0], answers={"english": "word " * 1000})
    html, page = written(replace(data, samples=[long]), tmp_path)
    assert "[…]" in page.text
    assert html.count("word word") < 600


@pytest.mark.parametrize(
    "table", ["scores", "judge", "fidelity", "loss", "loss_change", "mixtures", "doses", "curves"]
)
def test_tables_hold_the_very_numbers(full: tuple[Path, str, Page], table: str) -> None:
    directory, _, _ = full
    with (directory / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in (one if isinstance(one, dict) else record(one) for one in getattr(study(), table))
    ]


def test_the_answer_for_machines_lies_beside_the_page(full: tuple[Path, str, Page]) -> None:
    directory, _, _ = full
    assert json.loads((directory / "findings.json").read_text(encoding="utf-8")) == study().findings


def test_the_noise_floor_stands_beside_every_measure(full: tuple[Path, str, Page], tmp_path: Path) -> None:
    def cells(page: Page) -> int:
        return page.text.count("another seed alone")

    # Change of loss and score, each by dose and as a heatmap, and fidelity by dose.
    assert cells(full[2]) == 5
    assert "unknown" in full[2].text
    several = written(study(seeds=3), tmp_path)[1]
    assert cells(several) == 5
    assert "0.0015 to 0.0060" in several.text
    assert "2% to 8%" in several.text
    assert "noise floor, ±0.003" in (tmp_path / "figures/loss-change-by-dose.svg").read_text(encoding="utf-8")


def test_where_an_arm_differs_is_said_in_words(full: tuple[Path, str, Page]) -> None:
    assert re.search(r"The untuned base differs in \d+ of 12 languages: worse in English", full[2].text)
    assert re.search(r"pinch-24 differs in \d+ of 12 languages: better in ", full[2].text)


def test_nothing_is_an_empty_cell_and_draws_no_point(tmp_path: Path) -> None:
    data = SMALL
    nothing = [replace(row, value=math.nan, low=math.nan, high=math.nan) for row in data.loss]
    html, _ = written(replace(data, loss=[*nothing[:5], *data.loss[5:]]), tmp_path)
    with (tmp_path / "tables/loss.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["value"] == ""
    assert "NaN" not in "".join(text for attrs, text in Page(html).scripts if "type" in attrs)


@pytest.mark.parametrize(
    "names", [("scores",), ("loss", "loss_change"), ("scores", "fidelity", "loss", "loss_change", "mixtures")]
)
def test_what_was_not_measured_is_left_out_with_a_note(tmp_path: Path, names: tuple[str, ...]) -> None:
    _, page = written(without(SMALL, *names, "samples"), tmp_path)
    figures = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert not any(one.startswith(name.replace("_", "-") + "-by") for one in figures for name in names)
    assert page.text.count("Not measured in this study") >= len(set(names) - {"mixtures"})
    assert "No answers were kept" in page.text
    assert (tmp_path / f"tables/{names[0]}.csv").read_text(encoding="utf-8").count("\n") == 1


def test_an_earlier_report_s_figures_do_not_outlive_their_data(tmp_path: Path) -> None:
    write_report(SMALL, tmp_path)
    (tmp_path / "figures/my own.svg").write_text("<svg/>")
    write_report(without(SMALL, "scores"), tmp_path)
    assert not (tmp_path / "figures/scores-by-dose.svg").exists()
    assert (tmp_path / "figures/my own.svg").exists()


def test_one_arm_alone_makes_a_report(tmp_path: Path) -> None:
    data = study(doses=(0,), seen=("es",), unseen=("fi",))
    _, page = written(replace(data, arms=data.arms[1:]), tmp_path)
    assert "0 of 96" in page.text


def test_a_dose_that_was_not_delivered_whole_is_shown(tmp_path: Path) -> None:
    data = SMALL
    lines = [
        line | {"requested": "8 examples", "requested_amount": 8, "truncated": 3}
        if line["examples"] == 4
        else line
        for line in data.mixtures
    ]
    _, page = written(replace(data, mixtures=lines), tmp_path)
    assert "2 of 8 lines lost rows" in page.text
    assert sum(tag == "td" and attrs.get("class") == "lack" for tag, attrs in page.tags) == 4


def test_training_on_unseen_languages_is_said(full: tuple[Path, str, Page], tmp_path: Path) -> None:
    assert "In mixed, the languages outside the pinch were trained on too" in full[2].text
    only_seen = [line for line in SMALL.mixtures if line["arm"] != "mixed"]
    assert "were trained on too" not in written(replace(SMALL, mixtures=only_seen), tmp_path)[1].text


def test_a_folder_that_may_not_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PinchError, match=r"no permission to write .*here"):
        write_report(study(doses=(0, 8)), tmp_path / "here")


def test_a_kill_while_writing_leaves_the_earlier_page_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_report(study(doses=(0, 8)), tmp_path).read_bytes()

    def killed(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_report(replace(study(doses=(0, 8)), title="another"), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert not list(tmp_path.rglob("*.tmp"))


def test_the_page_says_what_made_each_step_and_the_table_of_steps_holds_all_of_them(tmp_path: Path) -> None:
    other = replace(
        SMALL.steps[1], host="another-machine", device="cuda", versions="polypinch 0.0.9", seconds=7300
    )
    data = replace(SMALL, steps=[*SMALL.steps, other])
    html, _ = written(data, tmp_path)
    told = html[html.index("How it was made") :]
    for words in (
        "another-machine",
        "polypinch 0.0.9",
        "cuda",
        "bfloat16",
        "2 h 1 min",
        "by several machines",
    ):
        assert words in told, words
    with (tmp_path / "tables/steps.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["host"] for row in rows] == [step.host for step in data.steps]
    assert rows[0].keys() == {field.name for field in fields(Step)}
