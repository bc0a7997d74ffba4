"""The page in a real browser: at every width, in both colours, without its script, and on paper."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from polypinch.publish import Entry, write_together
from polypinch.report import ReportData, write_report
from polypinch.report.figures import FIGURES
from tests.report.fake import study

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="pip install playwright: no driver for a browser"
)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no browser: put chromium (apt-get install chromium) or google-chrome on the PATH",
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
WIDTHS = (360, 390, 768, 1280)
CHARTS = 2 * (len(FIGURES) + 1) - 1  # of two models, each with a picture at the top; one of mixtures
MODELS = ("gemma-3-270m", "an-organisation/a-base-model-with-a-long-name-7b")

MEASURES = (Path(__file__).parent / "browser.js").read_text(encoding="utf-8")


def with_a_long_answer(data: ReportData) -> ReportData:
    """An answer longer than is shown, that starts with a word which has nowhere to break."""
    long = "https://example.org/" + "nowhere" * 60 + " and so on" * 200
    at = next(at for at, one in enumerate(data.samples) if one.language == "es")
    samples = list(data.samples)
    samples[at] = replace(samples[at], answers=samples[at].answers | {"mixed": long})
    return replace(data, samples=samples)


def measured(page: Any, call: str) -> Any:
    return page.evaluate(f"() => ({MEASURES}).{call}")


def whole(charts: list[dict[str, Any]]) -> int:
    """Hold every chart to be drawn whole and legibly; return how many there are."""
    for chart in charts:
        assert chart["width"] > 200, chart
        assert chart["height"] > 100, chart
        assert chart["marks"] > 5, chart
        assert chart["texts"] > 5, chart
        assert chart["fits"], chart
        assert chart["outside"] == chart["overprinted"] == chart["small"] == [], chart
    return len(charts)


@dataclass(frozen=True)
class Shown:
    page: Any
    asked: list[str]
    errors: list[str]


Show = Callable[..., Shown]


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    data = with_a_long_answer(study(models=MODELS, doses=(0, 4, 8, 16, 24, 48, 72)))
    assert (len(data.arms), len(data.languages), len(data.models)) == (8, 12, 2)
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def written(several: bool) -> str:
        if not several:
            return write_report(data, folder / "report").as_uri()
        larger = study(models=MODELS[1:], doses=(0, 5, 8, 40, 160), rows=320)
        entries = [
            Entry("demo", "../report/report.html", data),
            Entry("a-study-with-a-long-name", "", larger),
        ]
        return write_together(entries, ["They hold out different items."], folder / "together").as_uri()

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        @cache
        def opened(width: int, scheme: str = "light", scripts: bool = True, several: bool = False) -> Shown:
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
            )
            context.set_default_timeout(120_000)
            shown = Shown(context.new_page(), [], [])
            shown.page.on("request", lambda request: shown.asked.append(request.url))
            shown.page.on("console", lambda said: said.type == "error" and shown.errors.append(said.text))
            shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
            shown.page.goto(written(several))
            if scripts:
                shown.page.locator("html[data-drawn]").wait_for(state="attached")
            return shown

        yield opened
        browser.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_makes_the_page_scroll_sideways(show: Show, width: int) -> None:
    assert measured(show(width).page, "overflow()") == {"over": 0, "wide": []}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_cell_of_a_table_runs_into_the_next(show: Show, width: int, several: bool) -> None:
    page = show(width, several=several).page
    assert page.locator("td:visible").count() > 20
    assert measured(page, "crowded()") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_every_chart_is_drawn_whole_and_legibly(show: Show, width: int) -> None:
    page = show(width).page
    charts = CHARTS
    assert whole(measured(page, "charts()")) == charts
    assert page.evaluate("() => document.documentElement.dataset.drawn") == str(charts)


def test_a_turned_phone_gets_its_charts_anew(show: Show) -> None:
    page = show(768).page
    before = measured(page, "charts()")[0]["width"]
    for width in (430, 768):
        page.set_viewport_size({"width": width, "height": 800})
        page.locator(f"html[data-drawn][data-drawn-at='{width}']").wait_for(state="attached")
        assert measured(page, "overflow()")["over"] == 0
        assert (measured(page, "charts()")[0]["width"] < before - 200) == (width == 430)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_several_studies_is_as_sound(show: Show, width: int) -> None:
    shown = show(width, several=True)
    assert measured(shown.page, "overflow()") == {"over": 0, "wide": []}
    assert whole(measured(shown.page, "charts()")) == 3
    assert measured(shown.page, "faint()")["found"] == []
    assert (shown.asked, shown.errors) == ([shown.page.url], [])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_asks_no_network_for_anything_and_reports_no_error(show: Show, width: int) -> None:
    shown = show(width)
    assert shown.asked == [shown.page.url]
    assert shown.errors == []


@pytest.mark.parametrize("language", ["Arabic", "Hebrew"])
@pytest.mark.parametrize("width", [390, 1280])
def test_right_to_left_texts_start_at_the_right(show: Show, width: int, language: str) -> None:
    page = show(width).page
    page.locator(".tongues > label", has_text=language).click()
    talk = page.locator(".talk:visible")
    for kind in (".item > summary", ".reference p", ".answer p[dir=auto]:not(:text('the sea'))"):
        texts = talk.locator(f"{kind}:visible")
        assert texts.count() > 0, kind
        for text in texts.all():
            found = text.evaluate(f"(one) => ({MEASURES}).firstLetter(one)")
            english = "the sea" in text.inner_text().lower()
            assert found["direction"] == ("ltr" if english else "rtl")
            assert found["left" if english else "right"] < 3, found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_ground(show: Show, scheme: str) -> None:
    page = show(768, scheme).page
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    contrast = measured(page, "faint()")
    assert contrast["charted"] > 200
    assert contrast["found"] == []


def test_without_its_script_the_page_shows_still_pictures(show: Show) -> None:
    page = show(390, scripts=False).page
    pictures = page.locator(".chart img").all()
    assert len(pictures) == CHARTS
    for picture in pictures:
        assert picture.is_visible()
        assert picture.evaluate("(one) => one.complete && one.naturalWidth > 300")
    assert page.locator(".live:visible").count() == 0
    assert measured(page, "overflow()") == {"over": 0, "wide": []}
    page.locator(".tongues > label", has_text="Hebrew").click()
    assert page.locator(".talk:visible .tongue").text_content() == "Hebrew"


def test_paper_is_white_and_has_every_picture(show: Show) -> None:
    page = show(768, "dark").page
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".live:visible").count() == 0
    for picture in page.locator(".chart img").all():
        place = picture.bounding_box()
        assert place["width"] > 300
        assert place["x"] + place["width"] <= 769
    assert page.locator(".tongue:visible").count() == 1
    assert measured(page, "faint()")["found"] == []
    assert measured(page, "overflow()")["over"] == 0
    page.emulate_media(media="screen")
