"""The desk: a secret address for each rater, one pair or answer at a time, every click stored at once."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from polypinch.errors import PinchError
from polypinch.judge.people import (
    CHOICES,
    Assigned,
    Flag,
    Job,
    Rated,
    Rater,
    Rating,
    Ratings,
)
from polypinch.languages import language
from polypinch.progress import say
from polypinch.web.guard import LOOPBACK, App, Guard, Limiter
from polypinch.web.pages import page, static
from polypinch.web.rating.wording import job_guidelines, wording_in

_LONGEST_COMMENT = 4000
_LONGEST_VIEW = 24 * 60 * 60.0
_SEE_OTHER = 303

Form = dict[str, list[str]]


@dataclass(frozen=True)
class Visit:
    """A rater at the desk.

    Attributes:
        rater: who, by their link.
        secret: of the link.
    """

    rater: Rater
    secret: str

    @property
    def home(self) -> str:
        """The path of the rater's pages."""
        return f"/r/{self.secret}"

    @property
    def form_mark(self) -> str:
        """What a form of this rater must hold; only who knows the link can make it.

        It is made of the link alone, so that a page which was open while the server was started again can
        still be sent.
        """
        return hashlib.sha256(f"form/{self.secret}".encode()).hexdigest()


def desk_app(
    job: Job, ratings: Ratings, hosts: Collection[str] = LOOPBACK, limiter: Limiter | None = None
) -> App:
    """Return the application of a job's desk.

    Args:
        job: what is rated.
        ratings: where it is kept.
        hosts: names by which the desk may be asked for.
        limiter: of requests, where others than this machine can send them.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    def visit(secret: str, request: Request) -> Visit:
        rater = ratings.rater_of(secret)
        who = rater.name if rater else f"from {request.client.host if request.client else ''}"
        if limiter is not None and not limiter.allows(who):
            raise HTTPException(429)
        if rater is None:
            raise HTTPException(404)
        return Visit(rater, secret)

    async def sent(request: Request, visit: Visit = Depends(visit)) -> Form:
        try:
            form = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=40)
        except ValueError as error:
            raise HTTPException(400) from error
        if not hmac.compare_digest(_field(form, "mark").encode(), visit.form_mark.encode()):
            raise HTTPException(403)
        return form

    @app.exception_handler(AnyHTTPException)
    def refused(request: Request, error: AnyHTTPException) -> HTMLResponse:
        del request
        headers = {"retry-after": "30"} if error.status_code == 429 else None
        return HTMLResponse(page("refused.html.j2", status=error.status_code), error.status_code, headers)

    @app.exception_handler(PinchError)
    def failed(request: Request, error: PinchError) -> HTMLResponse:
        # The rater can do nothing about a full disk; who serves the desk can, and reads it there.
        del request
        say(str(error))
        return HTMLResponse(page("refused.html.j2", status=503), 503, {"retry-after": "60"})

    @app.get("/static/{name}")
    def file(name: str) -> Response:
        if name not in static():
            raise HTTPException(404)
        content, kind = static()[name]
        return Response(content, media_type=kind)

    @app.get("/r/{secret}")
    def welcome(visit: Visit = Depends(visit)) -> HTMLResponse:
        done, places = ratings.progress(visit.rater.name)
        guidelines = job_guidelines(job, visit.rater.language)
        return _shown("welcome.html.j2", visit, done, places, guidelines=guidelines)

    @app.get("/r/{secret}/next")
    def following(visit: Visit = Depends(visit)) -> Response:
        done, places = ratings.progress(visit.rater.name)
        place = ratings.next(visit.rater.name)
        last = ratings.last(visit.rater.name)
        back = last.form if last else None
        if place is None:
            return _shown("finished.html.j2", visit, done, places, back=back)
        guidelines = job_guidelines(job, visit.rater.language)
        task = _task(job, place)
        return _shown("rate.html.j2", visit, done, places, back=back, guidelines=guidelines, **task)

    @app.post("/r/{secret}/rate")
    def rate(visit: Visit = Depends(visit), form: Form = Depends(sent)) -> Response:
        place = ratings.place(visit.rater.name, _whole(_field(form, "position")))
        if place is None:
            raise HTTPException(400)
        ratings.put(_rating(form, place, job.facts.rated))
        return RedirectResponse(f"{visit.home}/next", _SEE_OTHER)

    @app.post("/r/{secret}/undo")
    def undo(visit: Visit = Depends(visit), form: Form = Depends(sent)) -> Response:
        ratings.take_back(visit.rater.name, _field(form, "back"))
        return RedirectResponse(f"{visit.home}/next", _SEE_OTHER)

    return Guard(app, hosts)


def _shown(template: str, visit: Visit, done: int, places: int, **content: Any) -> HTMLResponse:
    said = wording_in(visit.rater.language)
    shown = {
        "home": visit.home,
        "mark": visit.form_mark,
        "done": done,
        "places": places,
        "progress": said.texts["progress"].format(done=done, all=places),
    }
    return HTMLResponse(
        page(template, said=said.texts, tag=said.tag, direction=said.direction, **shown, **content)
    )


def _task(job: Job, place: Assigned) -> dict[str, Any]:
    """Return what is shown of a task, and nothing else of it."""
    task = job.tasks[place.task]
    texts = [task.arm_text] if task.against_text is None else [task.arm_text, task.against_text]
    if place.arm_first is False:
        texts.reverse()
    return {
        "prompt": task.prompt,
        "answers": list(zip(("first", "second"), texts, strict=False)),
        "language": task.language,
        "written": language(task.language).direction,
        "choices": [choice.value for choice in CHOICES[job.facts.rated]],
        "flags": [flag.value for flag in Flag],
        "position": place.position,
        "form": secrets.token_urlsafe(12),
    }


def _rating(form: Form, place: Assigned, rated: Rated) -> Rating:
    choice, name = _field(form, "choice"), _field(form, "form")
    sides = ("first", "second") if rated is Rated.PAIRS else ("first",)
    known = {f"{side}:{flag.value}" for side in sides for flag in Flag}
    flags = tuple(sorted(set(form.get("flag", []))))
    if choice not in CHOICES[rated] or not set(flags) <= known or not 8 <= len(name) <= 64:
        raise HTTPException(400)
    comment = _field(form, "comment").strip()[:_LONGEST_COMMENT]
    return Rating(place.rater, place.position, choice, flags, comment, _seconds(form), form=name)


def _field(form: Form, name: str) -> str:
    return next(iter(form.get(name, [])), "")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _seconds(form: Form) -> float | None:
    """Return how long the browser says that the task was in view; anything else is not known."""
    text = _field(form, "milliseconds")
    seconds = _whole(text) / 1000
    return seconds if 0 <= seconds <= _LONGEST_VIEW else None
