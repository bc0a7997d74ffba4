"""The desk, by a real server on this machine."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from polypinch.files import disk_errors
from polypinch.judge.people import GUIDELINES, Job, Rated, Ratings, Task, make_job, open_job, read_ratings
from tests.judge.people.jobs import answer_job, pair_job
from tests.web.made import HOSTILE

pytest.importorskip("fastapi", reason="pip install 'polypinch[web]'")

from polypinch.web import Limiter
from tests.web.client import Rater, desk_of, start_desk


def links(job: Job, days: float | None = None) -> dict[str, str]:
    with Ratings(job.ratings_file) as kept:
        return {rater.name: kept.new_link(rater.name, days) for rater in kept.raters()}


class Shared:
    """A job that several tests read: each rates with a rater of its own."""

    def __init__(self, job: Job, port: int) -> None:
        self.job, self.port = job, port
        self.links = links(job)
        self._free = sorted(self.links)

    def rater(self, name: str | None = None) -> Rater:
        taken = self._free.pop() if name is None else name
        return Rater(self.port, self.links[taken])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("desk_app")
    job = pair_job(folder / "job", raters=8)
    with desk_of(job) as port:
        yield Shared(job, port)


def stored(job: Job, rater: str) -> list[str]:
    return [one.choice for one in read_ratings(job) if one.rater == rater]


def owner(shared: Shared, rater: Rater) -> str:
    return next(name for name, secret in shared.links.items() if secret == rater.secret)


def test_a_rating_is_stored_before_the_next_pair_shows(shared: Shared) -> None:
    rater = shared.rater()
    name = owner(shared, rater)
    page = rater.get()
    assert (page.status, len(page.texts)) == (200, 3)
    answer = rater.rate("first", page, flag="second:not_fluent", comment=" why ", milliseconds="1500")
    assert (answer.status, answer.headers["location"]) == (303, f"/r/{rater.secret}/next")
    (one,) = [one for one in read_ratings(shared.job) if one.rater == name]
    assert (one.comment, one.seconds) == ("why", 1.5)
    assert one.choice == ("arm" if one.arm_first else "against")
    assert one.flags == ("against:not_fluent" if one.arm_first else "arm:not_fluent",)
    assert rater.get().fields["position"] == "1"


def test_a_form_sent_twice_counts_once_and_undo_takes_one_back(shared: Shared) -> None:
    rater = shared.rater()
    name = owner(shared, rater)
    page = rater.get()
    for _ in range(3):
        assert rater.rate("tie", page).status == 303
    assert stored(shared.job, name) == ["tie"]
    rater.rate("both_bad")
    undo = rater.get().undo
    for _ in range(3):
        assert rater.post("/undo", undo).status == 303
    assert stored(shared.job, name) == ["tie"]
    assert rater.rate("first", page).status == 303  # a late form of the first page
    assert stored(shared.job, name) == ["tie"]
    assert rater.get().fields["position"] == "1"


def test_a_rater_sees_no_arm_no_source_and_nobody_elses_work(shared: Shared) -> None:
    rater, other = shared.rater(), shared.rater()
    rater.rate("first", None, comment="a secret remark")
    task = next(iter(shared.job.tasks.values()))
    for page in (rater.get(""), rater.get(), other.get(""), other.get()):
        assert page.status == 200
        visible = page.text
        for text in page.texts:
            visible = visible.replace(text, "")
        for hidden in (
            task.task,
            "against",
            "known",
            "expected",
            str(shared.job.folder),
            owner(shared, rater),
        ):
            assert hidden not in visible, hidden
    assert other.get().fields["position"] == "0"
    assert "a secret remark" not in other.get("").text + other.get().text
    assert other.secret not in rater.get().text


@pytest.mark.parametrize("path", ["", "/next"])
def test_a_link_that_is_nobodys_opens_nothing(shared: Shared, path: str) -> None:
    for secret in ("x", "..", "%2e%2e", "a" * 5000, next(iter(shared.links.values()))[:-1]):
        reply = Rater(shared.port, secret).get(path)
        assert reply.status in (404, 400)
    for address in (
        "/",
        "/docs",
        "/openapi.json",
        "/static/",
        "/static/../desk.py",
        "/static/%2e%2e/guard.py",
    ):
        assert Rater(shared.port, "").ask("GET", address).status == 404


def test_forms_of_others_are_refused(shared: Shared) -> None:
    rater = shared.rater()
    name = owner(shared, rater)
    page = rater.get()
    good = {**page.fields, "choice": "first"}
    for form in ({**good, "mark": ""}, {**good, "mark": "é"}, {k: v for k, v in good.items() if k != "mark"}):
        assert rater.post("/rate", form).status == 403
    wrong = [
        {"position": "999"}, {"position": "-1"}, {"position": "٣"}, {"choice": "excellent"}, {"choice": ""},
        {"flag": "third:unsafe"}, {"flag": "first:rude"}, {"form": ""}, {"form": "x" * 400},
    ]  # fmt: skip
    for change in wrong:
        assert rater.post("/rate", {**good, **change}).status == 400, change
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://elsewhere.example"},
        {"origin": "null"},
    ):
        assert rater.post("/rate", good, **headers).status == 403
    assert rater.get(**{"host": "elsewhere.example"}).status == 421
    assert rater.post("/rate", {**good, "comment": "x" * 100_000}).status == 413
    assert stored(shared.job, name) == []
    assert rater.post("/rate", good, origin=f"http://127.0.0.1:{shared.port}").status == 303
    assert len(stored(shared.job, name)) == 1


def test_every_page_has_a_policy_that_lets_nothing_run_or_leave(shared: Shared) -> None:
    rater = shared.rater()
    for reply in (
        rater.get(""),
        rater.get(),
        rater.ask("GET", "/nothing"),
        rater.ask("GET", "/static/base.css"),
    ):
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert "http://" not in reply.text.replace(f"http://127.0.0.1:{shared.port}", "").replace(
            "http://www.w3.org/2000/svg", ""
        )


def test_texts_are_shown_as_they_are(tmp_path: Path) -> None:
    tasks = [
        Task("", f"i{n}", "fi", "a", "b", None, text, f"{text} 1", f"{text} 2")
        for n, text in enumerate(HOSTILE)
    ]
    make_job(
        tmp_path / "job",
        tasks,
        Rated.PAIRS,
        raters=1,
        repeats=0,
        guidelines={"fi": f"# {HOSTILE[0]}\n\n- {HOSTILE[1]}"},
    )
    job = open_job(tmp_path / "job")
    seen = set()
    with desk_of(job) as port:
        rater = Rater(port, links(job)["fi-1"])
        assert "&lt;script&gt;" in rater.get("").text
        for _ in HOSTILE:
            page = rater.get()
            assert page.text.count("<script") == 1
            assert "<img" not in page.text
            assert "<svg" not in page.text
            seen.add(page.texts[0])
            rater.rate("tie", page, comment=HOSTILE[0])
    assert seen == set(HOSTILE)


def test_guidelines_are_in_the_raters_language_and_may_be_edited(shared: Shared) -> None:
    rater = shared.rater("he-1")
    page = rater.get("").text
    assert '<html lang="he" dir="rtl">' in page
    assert "הנחיות" in page
    (shared.job.folder / GUIDELINES).mkdir(exist_ok=True)
    (shared.job.folder / GUIDELINES / "he.md").write_text("# כותרת\n\nפסקה\n\n- נקודה\n", encoding="utf-8")
    page = rater.get("").text
    assert "<h1>כותרת</h1>" in page
    assert '<li dir="auto">נקודה</li>' in page


def test_single_answers_are_graded(tmp_path: Path) -> None:
    job = answer_job(tmp_path / "job", items=2, raters=1)
    with desk_of(job) as port:
        rater = Rater(port, links(job)["fi-1"])
        for choice in ("excellent", "pass", "fail", "pass"):
            page = rater.get()
            assert len(page.texts) == 2
            assert rater.rate("first", page).status == 400
            assert rater.rate(choice, page, flag="first:unsafe").status == 303
        assert "Kiitos" in rater.get().text
    assert sorted(one.choice for one in read_ratings(job)) == ["excellent", "fail", "pass", "pass"]
    assert {one.flags for one in read_ratings(job)} == {("arm:unsafe",)}


def test_beyond_this_machine_too_many_requests_wait(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job", items=2, known=0, repeats=0)
    secrets = links(job, days=1)
    with desk_of(job, Limiter(burst=20, rate=0.001)) as port:
        guessing = Rater(port, "guess")
        assert [guessing.get().status for _ in range(21)] == [404] * 20 + [429]
        rater = Rater(port, secrets["fi-1"])
        assert rater.get().status == 200  # a rater's own requests are counted apart
        statuses = [rater.get().status for _ in range(25)]
        assert statuses[-1] == 429
        assert Rater(port, secrets["fi-2"]).get().status == 200


def test_what_could_not_be_kept_is_said_to_both_and_can_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = pair_job(tmp_path / "job", items=2, known=0, repeats=0)
    secrets = links(job)
    with desk_of(job) as port:
        rater = Rater(port, secrets["fi-1"])
        page = rater.get()
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
            patched.setattr(Ratings, "_writing", full_disk)
            reply = rater.rate("first", page)
        assert reply.status == 503
        assert "press it again" in reply.text
        assert "the disk is full" not in reply.text
        assert "the disk is full" in capsys.readouterr().err
        assert stored(job, "fi-1") == []
        assert rater.rate("first", page).status == 303
    assert len(stored(job, "fi-1")) == 1


@contextmanager
def full_disk(kept: Ratings) -> Iterator[None]:
    with disk_errors(kept.path):
        raise sqlite3.OperationalError("database or disk is full")
    yield


def test_fifty_raters_at_once_and_the_server_killed_lose_and_double_nothing(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job", items=4, raters=25, repeats=1, known=1)
    secrets = links(job)
    served = start_desk(job.folder, tmp_path)
    seen: dict[str, list[tuple[str, str]]] = {name: [] for name in secrets}

    def work(name: str) -> None:
        rater = Rater(served.port, secrets[name])
        while True:
            page = rater.get()
            if not page.fields:
                return
            choice = ("first", "second", "tie", "both_bad")[(len(seen[name]) + len(name)) % 4]
            if rater.rate(choice, page).status == 303:
                seen[name].append((page.fields["position"], choice))

    threads = [threading.Thread(target=work, args=(name,)) for name in secrets]
    for thread in threads:
        thread.start()
    for part in (1, 2):
        while sum(map(len, seen.values())) < part * 90:
            threads[0].join(0.01)
        served.kill()
        served = start_desk(job.folder, tmp_path, served.port)
    for thread in threads:
        thread.join()
    served.kill()
    with Ratings(job.ratings_file) as kept:
        places = {(place.rater, place.position) for place in kept.lists()}
        ratings = kept.ratings()
    assert len(ratings) == len({(one.rater, one.position) for one in ratings}) == len(places) == 50 * 6
    told = {(name, int(position)): choice for name, own in seen.items() for position, choice in own}
    # An answer that the kill swallowed was asked for again, and the first click stands.
    assert {(one.rater, one.position): one.choice for one in ratings} == told
