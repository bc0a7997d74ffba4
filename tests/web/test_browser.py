"""The desk and the explorer in a real browser: the ways of raters and a reviewer, wide and narrow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from polypinch.judge.people import Job, Rated, Ratings, open_job, read_ratings
from polypinch.study import read_record
from tests.web.made import made_study

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="pip install playwright: no driver for a browser"
)
pytest.importorskip("fastapi", reason="pip install 'polypinch[web]'")

from polypinch.web.rating import Drawing, job_from_study  # noqa: E402
from polypinch.web.view import Shown, explorer_app  # noqa: E402
from tests.web.client import desk_of, serving  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no browser: put chromium (apt-get install chromium) or google-chrome on the PATH",
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / "node_modules")) / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("POLYPINCH_PICTURES")
"""A folder for screenshots to look at."""


@dataclass
class Browsed:
    """A page of a browser, and what it asked for and complained of."""

    page: Any
    origin: str
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.origin}{path}")
        return self.page

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@dataclass(frozen=True)
class Site:
    """Both servers, and a browser."""

    job: Job
    single: Job
    links: dict[str, str]
    opened: Callable[..., Browsed]
    desk: str
    desk_single: str
    view: str


def _job(folder: Path, study: Path, rated: Rated, tags: tuple[str, ...]) -> Job:
    drawing = Drawing(rated, items=3, raters=2, repeats=1, known=1)
    job_from_study(folder, read_record(study), drawing, arms=["pinch-4"], languages=tags)
    return open_job(folder)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("browser")
    study = made_study(folder / "study", items=8)
    job = _job(folder / "pairs", study, Rated.PAIRS, ("ar", "he", "fi"))
    single = _job(folder / "single", study, Rated.ANSWERS, ("he",))
    links = {}
    for one in (job, single):
        with Ratings(one.ratings_file) as kept:
            links |= {f"{one.folder.name}/{rater.name}": kept.new_link(rater.name) for rater in kept.raters()}
    with ExitStack() as stack:
        desk, other = (stack.enter_context(desk_of(one)) for one in (job, single))
        shown = stack.enter_context(Shown.opened([(study, read_record(study))]))
        view = stack.enter_context(serving(explorer_app(shown)))
        playwright = stack.enter_context(sync_api.sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def opened(port: str, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Browsed:
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
            )
            context.set_default_timeout(60_000)
            browsed = Browsed(context.new_page(), port)
            browsed.page.on("request", lambda request: browsed.asked.append(request.url))
            browsed.page.on("console", lambda said: said.type == "error" and browsed.errors.append(said.text))
            browsed.page.on("pageerror", lambda error: browsed.errors.append(str(error)))
            browsed.page.on(
                "dialog", lambda dialog: (browsed.errors.append(dialog.message), dialog.dismiss())
            )
            return browsed

        origins = [f"http://127.0.0.1:{port}" for port in (desk, other, view)]
        yield Site(job, single, links, opened, *origins)
        browser.close()


def sound(browsed: Browsed) -> None:
    """Hold a page to ask nobody else for anything, to complain of nothing, and to fit its window."""
    assert browsed.errors == []
    assert [url for url in browsed.asked if not url.startswith(browsed.origin)] == []
    assert browsed.page.title() != "run"
    over = browsed.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 1, over


def accessible(browsed: Browsed) -> None:
    """Hold a page to have no serious fault that axe-core finds; nothing is held where it is not there."""
    if AXE.is_file():
        browsed.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = browsed.page.evaluate("axe.run()")
        assert found["passes"]
        serious = [
            (fault["id"], [node["html"][:160] for node in fault["nodes"]])
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert serious == []


def said(job: Job, rater: str) -> list[str]:
    return [one.choice for one in read_ratings(job) if one.rater == rater]


@pytest.mark.parametrize(
    ("name", "width", "scheme"), [("ar-1", 390, "dark"), ("he-1", 1280, "light"), ("fi-1", 390, "light")]
)
def test_a_rater_goes_all_the_way(site: Site, name: str, width: int, scheme: str) -> None:
    browsed = site.opened(site.desk, width, scheme)
    home = f"/r/{site.links[f'pairs/{name}']}"
    page = browsed.go(home)
    right_to_left = not name.startswith("fi")
    assert page.evaluate("document.documentElement.dir") == ("rtl" if right_to_left else "ltr")
    browsed.picture(f"rate-welcome-{name}-{width}-{scheme}")
    sound(browsed)
    accessible(browsed)
    page.locator("a.button").click()
    page.locator("form.rate").wait_for()
    browsed.picture(f"rate-pair-{name}-{width}-{scheme}")
    sound(browsed)
    accessible(browsed)
    edges = page.evaluate(
        """() => { const one = document.querySelector(".request .text"), range = document.createRange();
        range.selectNodeContents(one);
        const text = range.getBoundingClientRect(), box = one.getBoundingClientRect();
        return [text.left - box.left, box.right - text.right] }"""
    )
    assert edges[1 if right_to_left else 0] < 3, edges
    places = page.locator("progress").get_attribute("max")
    first = page.locator("button[name=choice]").first
    box = first.bounding_box()
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= 800  # the buttons are in view, however long the answers
    for number in range(int(places)):
        assert page.locator("input[name=position]").get_attribute("value") == str(number)
        page.locator("input[type=checkbox]").first.check()
        with page.expect_navigation():
            page.locator("button[name=choice]").nth(number % 4).click()
        assert len(said(site.job, name)) == number + 1
    browsed.picture(f"rate-finished-{name}-{width}-{scheme}")
    page.locator("h1.finished").wait_for()
    sound(browsed)
    accessible(browsed)
    assert all(one.seconds is not None for one in read_ratings(site.job) if one.rater == name)


def test_a_rater_needs_no_mouse_and_can_undo_and_pause(site: Site) -> None:
    browsed = site.opened(site.desk)
    page = browsed.go(f"/r/{site.links['pairs/he-2']}")

    def press(key: str) -> None:
        with page.expect_navigation():
            page.keyboard.press(key)

    press("Enter")
    press("1")
    press("4")
    assert len(said(site.job, "he-2")) == 2
    press("u")
    assert len(said(site.job, "he-2")) == 1
    assert page.locator("input[name=position]").get_attribute("value") == "1"
    page.locator(".comment summary").click()
    page.locator("textarea").type("123 up")  # letters in a comment are letters
    assert len(said(site.job, "he-2")) == 1
    page.locator("h1").first.click()
    press("2")
    assert {one.comment for one in read_ratings(site.job) if one.rater == "he-2"} == {"", "123 up"}
    press("p")
    assert page.url.endswith(site.links["pairs/he-2"])
    press("Enter")
    page.go_back()
    page.go_back()
    page.locator("body").wait_for()
    assert len(said(site.job, "he-2")) == 2
    sound(browsed)


def test_a_rater_needs_no_script(site: Site) -> None:
    browsed = site.opened(site.desk, 390, scripts=False)
    page = browsed.go(f"/r/{site.links['pairs/fi-2']}")
    page.locator("a.button").click()
    for number in range(2):
        page.locator("button[name=choice]").nth(number).click()
    page.locator("form.rate").wait_for()
    assert len(said(site.job, "fi-2")) == 2
    assert {one.seconds for one in read_ratings(site.job) if one.rater == "fi-2"} == {None}


def test_single_answers_on_a_phone(site: Site) -> None:
    browsed = site.opened(site.desk_single, 390, "dark")
    page = browsed.go(f"/r/{site.links['single/he-1']}/next")
    assert page.locator("section.answer").count() == 1
    assert page.locator("button[name=choice]").count() == 3
    browsed.picture("rate-single-390-dark")
    sound(browsed)
    accessible(browsed)
    with page.expect_navigation():
        page.keyboard.press("2")
    assert said(site.single, "he-1") == ["pass"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_reviewer_goes_from_the_verdict_to_a_raw_reply(site: Site, width: int, scheme: str) -> None:
    browsed = site.opened(site.view, width, scheme)
    page = browsed.go("/")
    for name in ("glance", "answers", "rows"):
        page.locator("nav[aria-label='The study'] a").nth(("glance", "answers", "rows").index(name)).click()
        page.locator("h1").first.wait_for()
        browsed.picture(f"view-{name}-{width}-{scheme}")
        sound(browsed)
        accessible(browsed)
    page = browsed.go("/s/study/answers")
    page.get_by_label("Arabic").check()
    page.get_by_label("wrong language").check()
    page.get_by_label("Text").fill("Because")
    page.get_by_role("button", name="Show").click()
    assert "language=ar" in page.url
    assert "mark=wrong-language" in page.url
    assert page.get_by_label("Arabic").is_checked()
    shown = page.locator("article.answer")
    assert shown.count() > 3
    browsed.picture(f"view-filtered-{width}-{scheme}")
    accessible(browsed)
    shown.first.locator("h2 a").click()
    page.locator("section.asked").wait_for()
    page.locator("summary", has_text="Raw reply").first.click()
    assert '{"winner": "A"} <i>raw</i>' in page.locator(".raw").first.inner_text()
    browsed.picture(f"view-prompt-{width}-{scheme}")
    sound(browsed)
    accessible(browsed)


def test_a_reviewer_needs_no_mouse(site: Site) -> None:
    browsed = site.opened(site.view)
    page = browsed.go("/s/study/answers?arm=pinch-4")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    second = page.locator("article.answer").nth(1)
    assert second.evaluate("(one) => one === document.activeElement")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/prompt?" in page.url
    with page.expect_navigation():
        page.keyboard.press("2")
    page.keyboard.press("/")
    page.keyboard.type("jnk2")
    assert page.get_by_label("Text").input_value() == "jnk2"
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("n")
    assert "page=2" in page.url
    sound(browsed)


@pytest.mark.parametrize("tag", ["ar", "he"])
def test_right_to_left_answers_start_at_the_right(site: Site, tag: str) -> None:
    page = site.opened(site.view, 390).go(f"/s/study/prompt?item=h4&tag={tag}")
    directions = page.evaluate(
        "[...document.querySelectorAll('section .text')].map((one) => getComputedStyle(one).direction)"
    )
    assert directions == ["rtl", "rtl"]
