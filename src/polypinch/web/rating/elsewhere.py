"""A job's tasks for Label Studio and Argilla, and what was said there, as their own files.

Formats: Label Studio's task JSON (labelstud.io/guide/task_format) with a labelling configuration; the folder
that Argilla 2's ``Dataset.from_disk`` reads. Both hold the texts that a rater would see here, and no arm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from polypinch.errors import PinchError
from polypinch.files import read_json, write_json, write_text
from polypinch.judge.people import CHOICES, Assigned, Flag, Job, Rated, Rater, Rating, Ratings
from polypinch.web.rating.wording import wording_in

_TASKS, _CONFIG = "tasks.json", "config.xml"
_RECORDS, _SETTINGS, _DATASET = "records.json", ".argilla/settings.json", ".argilla/dataset.json"


class Elsewhere(StrEnum):
    """Where else people may rate."""

    LABEL_STUDIO = "label-studio"
    ARGILLA = "argilla"


def export_job(job: Job, to: Elsewhere, out: Path) -> list[Path]:
    """Write a job's tasks, a folder for each language, in the order and with the sides of its first rater.

    Tasks that raters have twice here stand once there.

    Returns:
        The folders.

    Raises:
        PinchError: ``out`` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise PinchError(f"{out} is not empty", fix="choose another folder")
    with Ratings(job.ratings_file) as kept:
        lists = kept.lists()
    folders = []
    for tag in job.facts.languages:
        places = [one for one in lists if one.rater == f"{tag}-1" and not one.repeat]
        texts = wording_in(tag).texts
        write = _to_label_studio if to is Elsewhere.LABEL_STUDIO else _to_argilla
        write(job, out / tag, places, texts)
        folders.append(out / tag)
    return folders


def _shown(job: Job, place: Assigned) -> dict[str, str]:
    task = job.tasks[place.task]
    if task.against_text is None:
        return {"prompt": task.prompt, "first": task.arm_text}
    first, second = task.arm_text, task.against_text
    if place.arm_first is False:
        first, second = second, first
    return {"prompt": task.prompt, "first": first, "second": second}


def _named(place: Assigned) -> str:
    return f"{place.rater}/{place.position}"


def _sides(job: Job) -> tuple[str, ...]:
    return ("first", "second") if job.facts.rated is Rated.PAIRS else ("first",)


def _headings(job: Job, texts: Mapping[str, Any]) -> dict[str, str]:
    first = texts["first"] if job.facts.rated is Rated.PAIRS else texts["answer"]
    return {"prompt": texts["request"], "first": first, "second": texts["second"]}


def _to_label_studio(job: Job, folder: Path, places: Sequence[Assigned], texts: Mapping[str, Any]) -> None:
    headings, lines = _headings(job, texts), ["<View>"]
    for name in ("prompt", *_sides(job)):
        lines.append(f"  <Header value={quoteattr(headings[name])}/>")
        lines.append(f'  <Text name="{name}" value="${name}"/>')
    lines.append(
        '  <Choices name="choice" toName="prompt" choice="single" required="true" showInLine="true">'
    )
    for choice in CHOICES[job.facts.rated]:
        # The alias is what the export holds; the value is what a rater reads.
        lines.append(
            f'    <Choice alias="{choice.value}" value={quoteattr(texts["choices"][choice.value])}/>'
        )
    lines.append("  </Choices>")
    for side in _sides(job):
        lines.append(f'  <Choices name="{side}_flags" toName="{side}" choice="multiple" showInLine="true">')
        for flag in Flag:
            lines.append(f'    <Choice alias="{flag.value}" value={quoteattr(texts["flags"][flag.value])}/>')
        lines.append("  </Choices>")
    lines.append(f'  <TextArea name="comment" toName="prompt" placeholder={quoteattr(texts["comment"])}/>')
    write_text(folder / _CONFIG, "\n".join([*lines, "</View>", ""]))
    write_json(
        folder / _TASKS, [{"data": {**_shown(job, place), "place": _named(place)}} for place in places]
    )


def _to_argilla(job: Job, folder: Path, places: Sequence[Assigned], texts: Mapping[str, Any]) -> None:
    headings = _headings(job, texts)
    choices = {choice.value: texts["choices"][choice.value] for choice in CHOICES[job.facts.rated]}
    flags = {flag.value: texts["flags"][flag.value] for flag in Flag}
    raters = sum(rater.language == folder.name and not rater.adjudicates for rater in _raters(job))
    settings = {
        "guidelines": wording_in(folder.name).guidelines(job.facts.rated),
        "fields": [
            _argilla(name, headings[name], "text", {"use_markdown": False})
            for name in ("prompt", *_sides(job))
        ],
        "questions": [
            _argilla("choice", headings["prompt"], "label_selection", {"options": _options(choices)}),
            *(
                _argilla(
                    f"{side}_flags",
                    headings[side],
                    "multi_label_selection",
                    {"options": _options(flags), "visible_options": len(flags), "options_order": "natural"},
                    required=False,
                )
                for side in _sides(job)
            ),
            _argilla("comment", texts["comment"], "text", {"use_markdown": False}, required=False),
        ],
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": max(1, raters)},
        "mapping": None,
    }
    empty: dict[str, Any] = {"metadata": {}, "suggestions": {}, "responses": {}, "vectors": {}}
    write_json(folder / _SETTINGS, settings)
    write_json(folder / _DATASET, {"name": f"polypinch-{folder.name}"})
    write_json(
        folder / _RECORDS,
        [
            {"id": _named(place), "fields": _shown(job, place), **empty, "status": "pending"}
            for place in places
        ],
    )


def _raters(job: Job) -> list[Rater]:
    with Ratings(job.ratings_file) as kept:
        return kept.raters()


def _argilla(
    name: str, title: str, kind: str, settings: dict[str, Any], required: bool = True
) -> dict[str, Any]:
    about = {"name": name, "title": title, "required": required, "type": kind}
    return {**about, "settings": {"type": kind, **settings}}


def _options(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "text": text} for value, text in named.items()]


def import_ratings(job: Job, source: Elsewhere, paths: Sequence[Path]) -> dict[str, int]:
    """Take in what was said elsewhere; each person becomes a rater. Taken in twice, it counts once.

    Args:
        job: whose tasks were exported.
        source: from where.
        paths: Label Studio's JSON exports; Argilla's ``records.json`` or the folders that hold one.

    Returns:
        How many ratings are new, by rater.

    Raises:
        PinchError: naming the file and the record: it is of another job, or says what nobody could choose.
    """
    with Ratings(job.ratings_file) as kept:
        lists = {_named(place): place for place in kept.lists()}
        ratings = []
        for path in paths:
            file = path / (_RECORDS if source is Elsewhere.ARGILLA else _TASKS) if path.is_dir() else path
            ratings += list(_ratings(job, source, file, lists))
        added: dict[str, int] = {}
        # All are checked before the first is kept.
        for place, rating in ratings:
            if rating.rater not in added:
                added[rating.rater] = 0
                _seat(kept, job, rating.rater, place, lists.values())
            added[rating.rater] += kept.put(rating)
    return added


def _seat(kept: Ratings, job: Job, name: str, place: Assigned, lists: Any) -> None:
    """Add a rater with the list that was exported; they have no use for a link."""
    if name not in {rater.name for rater in kept.raters()}:
        own = [replace(one, rater=name) for one in lists if one.rater == place.rater and not one.repeat]
        kept.add([Rater(name, job.tasks[place.task].language)], own)
        kept.new_link(name, days=0)


def _ratings(
    job: Job, source: Elsewhere, file: Path, lists: Mapping[str, Assigned]
) -> Iterator[tuple[Assigned, Rating]]:
    records = read_json(file)
    if not isinstance(records, list):
        raise PinchError(f"{file}: not a list of records", fix="export it as JSON")
    read = _from_label_studio if source is Elsewhere.LABEL_STUDIO else _from_argilla
    for number, record in enumerate(records, start=1):
        try:
            named, said = read(record)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise PinchError(
                f"{file}: record {number} is not as {source.value} writes it ({error!r})"
            ) from error
        if not said:
            continue
        place = lists.get(named)
        if place is None:
            raise PinchError(
                f"{file}: record {number}: no place {named!r} in {job.folder}", fix="name its own job"
            )
        tag = job.tasks[place.task].language
        for who, answers, seconds in said:
            choice = answers.get("choice")
            if choice not in CHOICES[job.facts.rated]:
                raise PinchError(f"{file}: record {number}: {choice!r} is no choice of {who}")
            flags = tuple(
                f"{side}:{flag}"
                for side in _sides(job)
                for flag in answers.get(f"{side}_flags") or ()
                if flag in set(Flag)
            )
            rater = f"{tag}-{source.value}-{who}"
            comment = str(answers.get("comment") or "")
            form = f"{rater}/{place.position}"
            yield place, Rating(rater, place.position, choice, flags, comment, seconds, form=form)


Said = tuple[str, list[tuple[str, dict[str, Any], float | None]]]
"""The place, and by person the answers to each question, with the seconds they took."""


def _from_label_studio(record: Any) -> Said:
    said: dict[str, tuple[dict[str, Any], float | None]] = {}
    for annotation in record.get("annotations") or ():
        if annotation.get("was_cancelled"):
            continue
        by = annotation["completed_by"]
        answers: dict[str, Any] = {}
        for part in annotation["result"]:
            value = part["value"]
            name = part["from_name"]
            if name == "choice":
                answers[name] = value["choices"][0]
            else:
                answers[name] = value["choices"] if "choices" in value else "\n".join(value["text"])
        seconds = annotation.get("lead_time")
        # Of several by one person the last one stands.
        said[str(by["id"] if isinstance(by, dict) else by)] = (
            answers,
            None if seconds is None else float(seconds),
        )
    return str(record["data"]["place"]), [(who, answers, seconds) for who, (answers, seconds) in said.items()]


def _from_argilla(record: Any) -> Said:
    said: dict[str, dict[str, Any]] = {}
    for question, responses in (record.get("responses") or {}).items():
        for response in responses:
            said.setdefault(str(response["user_id"]), {})[question] = response["value"]
    # A draft may lack the question that has to be answered.
    return str(record["id"]), [(who, answers, None) for who, answers in said.items() if "choice" in answers]
