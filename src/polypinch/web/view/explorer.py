"""The explorer's pages: studies side by side, one at a glance, its answers, one prompt, its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.study import Graph, Record, Store
from polypinch.web.guard import LOOPBACK, App, Guard
from polypinch.web.pages import page, static
from polypinch.web.view.export import as_csv, as_json_lines, rows
from polypinch.web.view.filters import MARKS, Filters
from polypinch.web.view.glance import Glance, verdicts_of
from polypinch.web.view.index import PAGE, Answer, AnswerIndex
from polypinch.web.view.mixture_rows import PAGE as ROWS_PAGE
from polypinch.web.view.mixture_rows import MixtureRows


@dataclass(frozen=True)
class Shown:
    """A study that is shown.

    Attributes:
        name: in addresses, and for the reader.
        record: what it was about.
        graph: its steps.
        store: their artifacts.
        index: of its answers.
    """

    name: str
    record: Record
    graph: Graph
    store: Store
    index: AnswerIndex

    @classmethod
    @contextmanager
    def opened(cls, studies: Sequence[tuple[Path, tuple[Record, Graph, Store]]]) -> Iterator[list[Shown]]:
        """Open studies for the length of a block, each named by its folder."""
        made: list[Shown] = []
        try:
            for folder, (record, graph, store) in studies:
                name = folder.resolve().name or "study"
                taken = {one.name for one in made}
                number = 2
                while name in taken:
                    name = f"{folder.resolve().name}-{number}"
                    number += 1
                made.append(cls(name, record, graph, store, AnswerIndex(graph, store)))
            yield made
        finally:
            for one in made:
                one.index.close()

    @property
    def home(self) -> str:
        """The path of its pages."""
        return f"/s/{quote(self.name, safe='')}"

    @cached_property
    def glance(self) -> Glance:
        """What it says."""
        return Glance(self.record, self.graph, self.store)

    @cached_property
    def mixtures(self) -> MixtureRows:
        """Its mixtures' rows."""
        return MixtureRows(self.graph, self.store, self.record.study.base)

    @cached_property
    def prompts(self) -> dict[tuple[str, str], str]:
        """The prompts by item and language."""
        return self.record.conversations()

    @cached_property
    def items(self) -> list[str]:
        """The items that are answered, in their order."""
        return list(dict.fromkeys(item for item, _ in self.prompts))


def explorer_app(studies: Sequence[Shown], hosts: Collection[str] = LOOPBACK) -> App:
    """Return the application that shows studies.

    Args:
        studies: which.
        hosts: names by which it may be asked for.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    by_name = {study.name: study for study in studies}

    def study(name: str) -> Shown:
        if name not in by_name:
            raise HTTPException(404)
        return by_name[name]

    @app.exception_handler(AnyHTTPException)
    def refused(request: Request, error: AnyHTTPException) -> HTMLResponse:
        del request
        return HTMLResponse(page("lost.html.j2", status=error.status_code), error.status_code)

    @app.exception_handler(PinchError)
    def failed(request: Request, error: PinchError) -> HTMLResponse:
        del request
        return HTMLResponse(page("failed.html.j2", message=error.message, fix=error.fix), 500)

    @app.get("/static/{name}")
    def file(name: str) -> Response:
        if name not in static():
            raise HTTPException(404)
        content, kind = static()[name]
        return Response(content, media_type=kind)

    @app.get("/")
    def start() -> Response:
        if len(studies) == 1:
            return RedirectResponse(studies[0].home, 303)
        lines = [(one, _verdicts(one), one.glance.is_done()) for one in studies]
        return HTMLResponse(page("studies.html.j2", lines=lines))

    @app.get("/s/{name}")
    def at_a_glance(shown: Shown = Depends(study)) -> HTMLResponse:
        data = shown.glance.data()
        shown.index.refresh()
        return _page(
            "glance.html.j2",
            shown,
            "glance",
            data=data,
            why=shown.glance.why_not(),
            verdicts=_verdicts(shown),
            tables=shown.glance.tables(),
            steps=shown.glance.steps(),
            counts=shown.index.counts(),
        )

    @app.get("/s/{name}/answers")
    def answers(request: Request, shown: Shown = Depends(study)) -> HTMLResponse:
        filters = Filters.of(request.query_params.multi_items())
        runs = shown.index.refresh()
        count = shown.index.count(filters)
        pages = max(1, -(-count // PAGE))
        return _page(
            "answers.html.j2",
            shown,
            "answers",
            filters=filters,
            answers=shown.index.answers(filters),
            count=count,
            pages=pages,
            prompts=shown.prompts,
            marks=[(mark.value, name) for mark, (name, _) in MARKS.items()],
            choices=_choices(shown),
            runs=(runs, len(shown.index.runs)),
        )

    @app.get("/s/{name}/answers.csv")
    def csv_file(request: Request, shown: Shown = Depends(study)) -> StreamingResponse:
        lines = _exported(shown, request)
        return StreamingResponse(as_csv(lines), 200, _download("answers.csv"), "text/csv; charset=utf-8")

    @app.get("/s/{name}/answers.jsonl")
    def json_file(request: Request, shown: Shown = Depends(study)) -> StreamingResponse:
        lines = _exported(shown, request)
        return StreamingResponse(
            as_json_lines(lines), 200, _download("answers.jsonl"), "application/jsonl; charset=utf-8"
        )

    @app.get("/s/{name}/prompt")
    def prompt(item: str = "", tag: str = "", shown: Shown = Depends(study)) -> HTMLResponse:
        if (item, tag) not in shown.prompts:
            raise HTTPException(404)
        shown.index.refresh()
        own = shown.index.of_prompt(item, tag)
        at = shown.items.index(item)
        return _page(
            "prompt.html.j2",
            shown,
            "answers",
            item=item,
            tag=tag,
            prompt=shown.prompts[item, tag],
            reference=shown.record.references().get((item, tag)),
            answers=[(one, shown.index.verdicts(one.run, item, tag)) for one in own],
            before=shown.items[at - 1] if at else None,
            after=shown.items[at + 1] if at + 1 < len(shown.items) else None,
            tags=[other for other in shown.record.study.evaluated if (item, other) in shown.prompts],
        )

    @app.get("/s/{name}/rows")
    def mixture_rows(
        request: Request, run: str = "", tag: str = "", cut: str = "", shown: Shown = Depends(study)
    ) -> HTMLResponse:
        done = [one for one in shown.index.runs if shown.index.is_done(one.tuned.mixture)]
        chosen = next((one for one in done if str(one.number) == run), done[0] if done else None)
        number = Filters.of(request.query_params.multi_items()).page
        found = None
        if chosen is not None:
            found = shown.mixtures.page(chosen.tuned, tag, bool(cut), number)
        pages = max(1, -(-found.count // ROWS_PAGE)) if found else 1
        kept = {
            "run": chosen.number if chosen else "",
            **({"tag": tag} if tag else {}),
            **({"cut": "1"} if cut else {}),
        }
        return _page(
            "rows.html.j2",
            shown,
            "rows",
            runs=done,
            chosen=chosen,
            tag=tag,
            cut=cut,
            found=found,
            number=number,
            pages=pages,
            query=urlencode(kept),
        )

    return Guard(app, hosts)


def _verdicts(shown: Shown) -> list[dict[str, Any]]:
    data = shown.glance.data()
    return verdicts_of(data) if data else []


def _choices(shown: Shown) -> dict[str, list[str]]:
    runs = shown.index.runs
    return {
        "model": list(dict.fromkeys(run.tuned.model for run in runs)),
        "arm": list(dict.fromkeys(run.tuned.arm for run in runs)),
        "seed": list(dict.fromkeys(run.seed for run in runs)),
        "language": list(shown.record.study.evaluated),
    }


def _exported(shown: Shown, request: Request) -> Iterator[dict[str, Any]]:
    filters = Filters.of(request.query_params.multi_items())
    shown.index.refresh()
    answers: Iterator[Answer] = shown.index.every_answer(filters)
    return rows(answers, shown.prompts)


def _download(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _page(template: str, shown: Shown, at: str, **content: Any) -> HTMLResponse:
    return HTMLResponse(page(template, shown=shown, at=at, named=_named, prompt_at=_prompt_at, **content))


def _named(tag: str) -> str:
    try:
        return language(tag).name
    except PinchError:
        return tag


def _prompt_at(shown: Shown, item: str, tag: str) -> str:
    return f"{shown.home}/prompt?{urlencode({'item': item, 'tag': tag})}"
