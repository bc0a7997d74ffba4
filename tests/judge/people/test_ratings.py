from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from polypinch.errors import PinchError
from polypinch.judge.people import Rating, Ratings
from tests.judge.people.jobs import pair_job


def test_a_form_sent_twice_counts_once(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    with Ratings(job.ratings_file) as kept:
        first = Rating("fi-1", 0, "first", ("first:unsafe",), "a comment", 2.5, form="form-one")
        assert kept.put(first)
        assert not kept.put(first)
        assert not kept.put(Rating("fi-1", 0, "second", form="another-form"))  # from a second tab
        (stored,) = kept.ratings()
        assert (stored.choice, stored.flags, stored.comment, stored.seconds) == (
            "first",
            ("first:unsafe",),
            "a comment",
            2.5,
        )


def test_what_was_taken_back_does_not_come_back_when_its_form_is_late(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    with Ratings(job.ratings_file) as kept:
        kept.put(Rating("fi-1", 0, "first", form="form-one"))
        kept.put(Rating("fi-1", 1, "tie", form="form-two"))
        assert not kept.take_back("fi-1", "form-one")  # not the last
        assert not kept.take_back("fi-2", "form-two")  # another's
        assert kept.take_back("fi-1", "form-two")
        assert not kept.take_back("fi-1", "form-two")  # sent twice: the one before stays
        assert not kept.put(Rating("fi-1", 1, "tie", form="form-two"))
        place = kept.next("fi-1")
        assert place is not None
        assert place.position == 1
        assert kept.put(Rating("fi-1", 1, "second", form="form-three"))
        assert [one.choice for one in kept.ratings()] == ["first", "second"]
        last = kept.last("fi-1")
        assert last is not None
        assert last.form == "form-three"


def test_a_place_that_is_not_there_cannot_be_rated(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    with Ratings(job.ratings_file) as kept:
        for rater, position in (("fi-1", 99), ("nobody", 0)):
            with pytest.raises(PinchError):
                kept.put(Rating(rater, position, "first", form=f"form-{rater}"))
        assert kept.ratings() == []


def test_a_link_is_its_raters_alone_and_ends(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job")
    with Ratings(job.ratings_file) as kept:
        secret = kept.new_link("fi-1")
        other = kept.new_link("fi-2", days=1)
        found = kept.rater_of(secret)
        assert found is not None
        assert found.name == "fi-1"
        assert kept.forever() == ["fi-1"]
        assert kept.rater_of(secret + "x") is None
        again = kept.new_link("fi-1", days=-1)
        assert kept.rater_of(secret) is None  # replaced
        assert kept.rater_of(again) is None  # expired
        assert kept.rater_of(other) is not None
        assert kept.without_link() == ["he-1", "he-2"]
    assert secret.encode() not in job.ratings_file.read_bytes()
    assert other.encode() not in job.ratings_file.read_bytes()


def test_threads_and_processes_write_the_same_file(tmp_path: Path) -> None:
    job = pair_job(tmp_path / "job", items=10, raters=4, tags=("fi",))
    one, other = Ratings(job.ratings_file), Ratings(job.ratings_file)

    def work(kept: Ratings, rater: str, form: str) -> None:
        while (place := kept.next(rater)) is not None:
            kept.put(Rating(rater, place.position, "tie", form=f"{form}-{rater}-{place.position}"))

    threads = [
        threading.Thread(target=work, args=(kept, f"fi-{number}", form))
        for number in range(1, 5)
        for kept, form in ((one, "one"), (other, "other"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = one.ratings()
    assert len(stored) == len({(rating.rater, rating.position) for rating in stored}) == len(one.lists())
    one.close()
    other.close()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ratings.sqlite"
    path.write_bytes(b"not a database, whatever its name says" * 40)
    with pytest.raises(PinchError, match="not a database"):
        Ratings(path)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("PRAGMA user_version = 7")
    with pytest.raises(PinchError, match="another format"):
        Ratings(other)
