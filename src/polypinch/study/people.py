"""The people who judge a study's answers, by the ratings that their job holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from polypinch.chat import Problem
from polypinch.errors import PinchError
from polypinch.judge import KindName, Sides, kind_of
from polypinch.judge.people import job_identity, open_job, verdicts, votes
from polypinch.study.artifacts import VERDICTS
from polypinch.study.record import JudgeFacts
from polypinch.study.spec import PeopleJudge
from polypinch.thoughts import answer_of

Key = tuple[str, str]


class People:
    """A study's raters.

    Attributes:
        job: theirs, opened.
    """

    def __init__(self, spec: PeopleJudge) -> None:
        try:
            self.job = open_job(Path(spec.people))
        except PinchError as error:
            raise PinchError(
                f"comparison.judge: {error.message}",
                fix="run the study with judge: reference first, then polypinch rate make from its answers",
            ) from error

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that verdicts depend on: what was rated and what was said, wherever the job stands."""
        return {"people": job_identity(self.job)}

    @property
    def facts(self) -> JudgeFacts:
        """What a reader of the study is told of the judge."""
        kind = kind_of(KindName.PEOPLE)
        raters = len({vote.rater for vote in votes(self.job)})
        words = f"people: {raters} raters of {self.job.folder.name}, {kind.how('both')}"
        return JudgeFacts(words, ordered=kind.sees_order, identity=self.identity, people=True)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the job: nobody has rated yet."""
        if votes(self.job):
            return []
        fix = "polypinch rate serve lets people rate; finished steps of the study are kept"
        return [Problem("error", "comparison.judge", f"{self.job.folder}: nothing is rated yet", fix)]

    def judge(
        self, directory: Path, ours: Mapping[Key, str], theirs: Mapping[Key, str], sides: Sides
    ) -> None:
        """Write ``verdicts.parquet``: a comparison that nobody rated has no row.

        Raises:
            PinchError: other answers were rated than these.
        """
        keys = ours.keys() & theirs.keys()
        texts = {key: (answer_of(ours[key]), answer_of(theirs[key])) for key in keys}
        VERDICTS.write(directory, verdicts(self.job, sides, texts))
