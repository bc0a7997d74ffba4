"""From a finished study to its report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.experiments import (
    EXPORTS,
    headline,
    measure_experiments,
    parts_of,
    read_costs,
    read_exposure,
)
from polypinch.findings import (
    MAIN,
    Dosed,
    EndpointLine,
    Findings,
    Standing,
    Verdict,
    answer,
    averages,
    caveats,
    claims,
    details,
    find,
    verdict,
)
from polypinch.judge import dollars
from polypinch.judge.people import is_job, open_job
from polypinch.languages import language
from polypinch.measure import FIDELITY, LEADING, LOSS, SCORE, Measure
from polypinch.publish import tables as rows
from polypinch.publish.looks import LOOKS, looks_of, looks_part
from polypinch.publish.rated import PEOPLE_AND_JUDGE, RATINGS, judge_scores, rated_part
from polypinch.publish.tracked import track_results
from polypinch.report import (
    ArmChange,
    ArmInfo,
    AtDose,
    Conclusion,
    Endpoint,
    LanguageInfo,
    Part,
    ReportData,
    Sample,
    SeedNoise,
    Step,
    TaskScore,
    write_report,
)
from polypinch.results import (
    ArmResults,
    imported_rows,
    mixture_lines,
    read_results,
    task_rows,
    task_wording,
)
from polypinch.study import (
    MANIFEST,
    MONOLINGUAL,
    TOTALS,
    UNTUNED,
    Axes,
    Graph,
    Looked,
    PeopleJudge,
    Record,
    Store,
    Study,
    Tuned,
    axes,
    ladder,
    read_looks,
)

_SAMPLE_ITEMS = 6


def report(
    inputs: Record,
    graph: Graph,
    store: Store,
    directory: Path,
    exposure: Path | None = None,
    ratings: Sequence[Path] = (),
) -> Path:
    """Write a study's report, tables and figures; return the page's path. Its trackers get the results.

    Args:
        inputs: the study's.
        graph: its stages.
        store: where they are done.
        directory: to write to.
        exposure: a CSV file of disclosed shares of pretraining (``language``, ``share``).
        ratings: folders of rating jobs of the study's answers, shown beside that of people who judge it.

    Raises:
        PinchError: a step of the study is not done yet, or the file of shares or a job cannot be read.
    """
    finished(graph, store)
    disclosed = read_exposure(exposure) if exposure else None
    data = read_report(inputs, graph, store, directory, disclosed)
    rated = _rated(inputs, graph, store, ratings)
    page = write_report(replace(data, parts=[*data.parts, *rated]), directory)
    track_results(inputs, graph, store, data, directory)
    return page


def _rated(inputs: Record, graph: Graph, store: Store, ratings: Sequence[Path]) -> list[Part]:
    """Return what people said; a job that judges the study and is not here any more is left out."""
    jobs = [open_job(folder) for folder in ratings]
    judge = inputs.study.comparison.judge
    if isinstance(judge, PeopleJudge) and is_job(Path(judge.people)):
        jobs.insert(0, open_job(Path(judge.people)))
    scores = {} if inputs.judge.people else judge_scores(graph, store, inputs.judge.orders)
    parts = (rated_part(job, scores, inputs.judge.words) for job in jobs)
    return [part for part in parts if part is not None]


def read_report(
    inputs: Record,
    graph: Graph,
    store: Store,
    directory: Path,
    disclosed: Mapping[str, float] | None = None,
) -> ReportData:
    """Read a finished study, and the task scores that were brought into its folder."""
    data = gather(inputs, graph, store, disclosed)
    return replace(data, tasks=[*data.tasks, *_tasks(imported_rows(inputs.study, directory))])


def _tasks(rows: Sequence[Mapping[str, Any]]) -> list[TaskScore]:
    names = [one.name for one in fields(TaskScore)]
    return [TaskScore(**{name: row[name] for name in names if name in row}) for row in rows]


def finished(graph: Graph, store: Store) -> None:
    """Refuse a study that is not finished.

    Raises:
        PinchError: a step is not done yet.
    """
    waiting = [stage for stage in graph.stages() if store.state(stage) != "done"]
    if waiting:
        raise PinchError(
            f"{len(waiting)} of {len(graph.stages())} steps are not done, the next is"
            f" {waiting[0].kind} {waiting[0].name}",
            fix="polypinch run goes on from there",
        )


def gather(
    inputs: Record, graph: Graph, store: Store, disclosed: Mapping[str, float] | None = None
) -> ReportData:
    """Read a finished study into what the report shows, with disclosed shares of pretraining by language."""
    study = inputs.study
    shared = axes(inputs)
    results = read_results(inputs, graph, store)
    looks = read_looks(graph, store)
    infos = _arms(inputs, graph, store)
    mixtures = mixture_lines(inputs, graph, store)
    costs = read_costs(shared, graph, store)
    shown = measure_experiments(study, shared, results, mixtures, costs, disclosed)
    told = [
        _told(
            study,
            shared,
            [one for one in results if one.model == model],
            infos,
            mixtures,
            next((one for one in reversed(looks) if one.model == model), None),
        )
        for model in study.models
    ]
    told = [
        one
        if one.found
        else replace(one, answer=headline(one.model, [of.result for of in shown]) or one.answer)
        for one in told
    ]
    ordered = inputs.judge.ordered
    judging = judging_totals(inputs, graph, store)
    data = ReportData(
        title=study.name,
        models=list(study.models),
        answer=" ".join(one.answer for one in told),
        conclusions=[_conclusion(study, one) for one in told],
        details=[line for one in told for line in one.details],
        caveats=_notes(inputs, shared, results, judging, told[0].left_out),
        arms=infos,
        languages=_languages(inputs),
        scores=[row for one in results for row in rows.score_rows(shared, one, study.comparison.against)],
        judge=[row for one in results for row in rows.judge_rows(shared, one, ordered)],
        fidelity=[row for one in results for row in rows.fidelity_rows(shared, one)],
        loss=[row for one in results for row in rows.loss_rows(shared, one)],
        loss_change=[row for one in told for row in one.loss_change],
        noise=[row for one in told for row in one.noise],
        leading=LEADING,
        doses=[row for one in told for row in (rows.dose_rows(one.found) if one.found else [])],
        curves=[row for one in told for row in (rows.curve_rows(one.found) if one.found else [])],
        findings=_findings(study, told, mixtures, looks),
        tasks=_tasks(task_rows(inputs, graph, store)),
        mixtures=mixtures,
        samples=_samples(inputs, graph, store),
        settings={
            "study": study.model_dump(mode="json", exclude_defaults=True),
            "chat_template": _chats(inputs),
            **({"judging": judging} if judging is not None else {}),
            **({"wording of tasks": task_wording(inputs)} if inputs.tasks else {}),
        },
        defaults={"study": study.model_dump(mode="json")},
        versions=_versions(graph, store),
        steps=_steps(graph, store),
        exports=replace(EXPORTS, tables=(*EXPORTS.tables, LOOKS, RATINGS, PEOPLE_AND_JUDGE)),
    )
    searched = looks_part(looks)
    return replace(data, parts=[*([searched] if searched else []), *parts_of(shown, data)])


@dataclass(frozen=True)
class _Told:
    """What is told of one base model."""

    model: str
    answer: str
    details: list[tuple[str, str]]
    found: Findings | None
    verdict: Verdict | None
    change: list[ArmChange]
    loss_change: list[ArmChange]
    noise: list[SeedNoise]
    left_out: dict[str, list[str]]


def _told(
    study: Study,
    shared: Axes,
    arms: list[ArmResults],
    infos: list[ArmInfo],
    mixtures: list[dict[str, Any]],
    looked: Looked | None,
) -> _Told:
    info = {one.name: one for one in infos}
    fed: dict[str, set[str]] = {}
    for line in mixtures:
        if line["examples"]:
            fed.setdefault(line["arm"], set()).add(line["language"])
    baseline = next((arm for arm in arms if info[arm.arm].is_baseline), None)
    untuned = next((arm for arm in arms if arm.arm == UNTUNED), None)
    steps, apart = ladder(study, baseline.arm if baseline else None)

    def by_dose(arm: ArmResults) -> Dosed:
        one = info[arm.arm]
        return Dosed(arm, one.dose_examples, one.rows, frozenset(fed.get(arm.arm, ())))

    dosed = [by_dose(arm) for arm in arms if arm.arm in steps]
    model = arms[0].model
    at = {tag: index for index, tag in enumerate(shared.languages)}
    declared = {name: [at[tag] for tag in tags] for name, tags in averages(study).items()}
    with_own = replace(shared, groups={**shared.groups, **declared})
    margin = getattr(study, LEADING.margin_key) if LEADING.margin_key else None
    findings = find(with_own, by_dose(baseline) if baseline else None, dosed, model, margin, LEADING, looked)
    by_measure: dict[Measure, Findings] = {} if findings is None else {LEADING: findings}
    for measure in (LOSS, FIDELITY, SCORE):
        if measure is not LEADING and baseline is not None:
            own = find(with_own, by_dose(baseline), dosed, model, None, measure)
            if own is not None:
                by_measure[measure] = own
    enough = verdict(by_measure, study.base, study.comparison.judge != "reference", claims(study))
    compared = [baseline, *(arm.results for arm in dosed)] if baseline and dosed else []
    tuned = [arm for arm in arms if arm.arm != UNTUNED]
    return _Told(
        model,
        answer(findings, shared, baseline, dosed, model, LEADING),
        details(findings, shared, baseline, untuned, len(study.models) > 1),
        findings,
        enough,
        rows.change_rows(shared, baseline, arms, LEADING, findings) if baseline else [],
        rows.change_rows(shared, baseline, arms, LOSS, findings) if baseline else [],
        rows.noise_rows(shared, compared or tuned),
        {"apart": apart, "twice": list(findings.twice) if findings else []},
    )


def _conclusion(study: Study, one: _Told) -> Conclusion:
    answer = one.answer.removeprefix(f"{one.model}: ")
    answer = f"{answer[:1].upper()}{answer[1:]}"
    if one.verdict is None or one.found is None:
        return Conclusion(one.model, "", answer)
    return Conclusion(
        one.model,
        one.verdict.short,
        answer,
        one.found.rows[one.found.largest],
        one.found.trainings,
        one.verdict.enough,
        tuple(_endpoint(study, line) for line in one.verdict.endpoints),
    )


def _endpoint(study: Study, line: EndpointLine) -> Endpoint:
    n, is_base = len(line.languages), line.over == study.base
    named = language(line.languages[0]).name if n == 1 else f"{n} other languages"
    if line.over not in (MAIN, *line.languages):
        named = ", ".join(language(tag).name for tag in line.languages)
    holds = {Standing.HOLDS: True, Standing.FAILS: False, Standing.OPEN: None}
    by_dose = {
        dose: AtDose(change.value, change.low, change.high, dose in line.told, holds[line.standing[dose]])
        for dose, change in line.changes.items()
    }
    return Endpoint(line.measure, "base" if is_base else "others", named, line.margin, by_dose)


def _findings(
    study: Study, told: list[_Told], mixtures: list[dict[str, Any]], looks: Sequence[Looked]
) -> dict[str, Any]:
    """Return the answer for machines: of each model, what was found by measure."""
    delivered: dict[str, dict[str, int]] = {}
    for line in mixtures:
        delivered.setdefault(line["arm"], {})[line["language"]] = line["examples"]
    return {
        "study": study.name,
        "leading": LEADING.name,
        "delivered": delivered,
        "models": [
            {
                "model": one.model,
                "answer": one.answer,
                "verdict": one.verdict.as_dict() if one.verdict else None,
                **({"looks": looks_of(looks, one.model)} if looks else {}),
                "measures": {LEADING.name: _by_measure(one)},
            }
            for one in told
        ],
    }


def _by_measure(one: _Told) -> dict[str, Any]:
    changes: dict[str, dict[str, dict[str, float]]] = {}
    for row in one.change:
        ends = {end: getattr(row, end) for end in ("value", "low", "high", "n_items")}
        changes.setdefault(row.arm, {})[row.language] = ends
    return {**(one.found.as_dict() if one.found else {}), "changes": changes}


def _notes(
    inputs: Record,
    shared: Axes,
    results: list[ArmResults],
    judging: dict[str, Any] | None,
    left_out: dict[str, list[str]],
) -> list[str]:
    judged = any(result.outcome is not None for result in results)
    answered = len(inputs.answered["item_id"].unique())
    notes = caveats(shared, answered, inputs.judge.words if judged else None, LEADING, inputs.judge.people)
    if judging is not None:
        notes.append(f"The judge was asked as follows: {judging_words(judging)}.")
    if any(result.settled for result in results):
        notes.append(
            "Judging stopped in each language where its score was settled. Intervals of scores are confidence"
            " sequences: they hold together, whenever judging stops, and speak of the held-out items alone."
        )
    if left_out["apart"]:
        notes.append(
            f"The answer leaves out {', '.join(left_out['apart'])}: they differ from the arm without a dose"
            " in more than the dose (languages, base language or model, tuning, placement, items or"
            " repetition)."
        )
    if left_out["twice"]:
        notes.append(
            f"The answer leaves out {', '.join(left_out['twice'])}: another arm has the same dose, and was"
            " named first."
        )
    if judged and inputs.study.comparison.against == MONOLINGUAL:
        notes.append(
            "Scores compare with the model tuned on the whole budget in each language (50 is parity), so they"
            " are not comparable across languages: each has its own opponent."
        )
    return notes


def judging_totals(inputs: Record, graph: Graph, store: Store) -> dict[str, Any] | None:
    """Return what the language model that judged was asked, in all, or ``None`` where none was."""
    if inputs.judge.identity is None or inputs.judge.people:
        return None
    total: Counter[str] = Counter()
    costs = []
    for stage in {one.verdicts.fingerprint: one.verdicts for one in graph.compared}.values():
        found = store.read_json(stage, TOTALS)
        costs.append(found.pop("cost"))
        total.update(found)
    known = [cost for cost in costs if cost is not None]
    cost = sum(known) if known else None
    return {**inputs.judge.identity, **dict(total), "cost": cost}


def judging_words(total: dict[str, Any]) -> str:
    """Return the judge's calls, tokens, cost and failures in a sentence's words."""
    cost = "at a cost not known" if total["cost"] is None else f"for {dollars(total['cost'])}"
    left = total.get("not_asked")
    return (
        f"{total['verdicts']:,} verdicts from {total['calls']:,} calls ({total['requests']:,} requests,"
        f" {total['prompt_tokens']:,} tokens in, {total['completion_tokens']:,} out) {cost};"
        f" {total['missing']:,} are missing, {total['identical']:,} are ties of identical answers"
        + (f"; {left:,} calls were not made, as the rest had settled it" if left else "")
    )


def _chats(inputs: Record) -> dict[str, str]:
    return dict(inputs.chat_names)


def _arms(inputs: Record, graph: Graph, store: Store) -> list[ArmInfo]:
    study = inputs.study
    infos = [ArmInfo(UNTUNED, 0, 0.0, 0, False, "untuned base")]
    for arm in study.arms:
        run = next(run for run in graph.tuned if run.arm == arm.name)
        assert run.mixture is not None
        manifest = store.read_json(run.mixture, MANIFEST)
        rows = manifest["rows"]
        dose = sum(line["examples"] for line in manifest["languages"] if line["language"] != study.base)
        is_baseline = study.is_baseline(arm)
        infos.append(ArmInfo(arm.name, dose, dose / rows, rows, is_baseline, f"{dose} of {rows}"))
    return [infos[0], *sorted(infos[1:], key=lambda info: info.dose_examples)]


def _languages(inputs: Record) -> list[LanguageInfo]:
    study = inputs.study
    infos = []
    for tag in study.evaluated:
        group = "base" if tag == study.base else "seen" if tag in study.languages.seen else "unseen"
        found = language(tag)
        infos.append(LanguageInfo(tag, found.name, found.autonym, found.direction, group))
    return infos


def _samples(inputs: Record, graph: Graph, store: Store) -> list[Sample]:
    """Return the first few answered items in every language, as the first seed of each arm answers."""
    study = inputs.study
    items = inputs.answered["item_id"].unique().slice(0, _SAMPLE_ITEMS)
    wanted = set(items.to_pylist())
    texts: dict[tuple[str, str], dict[str, str]] = {}
    flags: dict[tuple[str, str], dict[str, bool | None]] = {}
    for run in _first_runs(graph, study.models[0], study.seeds[0]):
        answers = store.read(run.answers)
        found = store.read(run.fidelity)
        columns = [answers[name].to_pylist() for name in ("item_id", "language", "text")]
        for item, tag, text, flag in zip(*columns, found["in_language"].to_pylist(), strict=True):
            if item in wanted:
                texts.setdefault((item, tag), {}).setdefault(run.arm, text)
                flags.setdefault((item, tag), {}).setdefault(run.arm, flag)
    prompts, references = inputs.prompts(), inputs.references()
    return [
        Sample(item, tag, prompts[item, tag], references.get((item, tag)), texts[item, tag], flags[item, tag])
        for tag in study.evaluated
        for item in items.to_pylist()
    ]


def _first_runs(graph: Graph, model: str, seed: int) -> list[Tuned]:
    return [
        run
        for run in graph.tuned
        if run.model == model and run.seed in (None, seed) and not run.arm.startswith(f"{MONOLINGUAL}-")
    ]


def _versions(graph: Graph, store: Store) -> dict[str, str]:
    """Return with which versions the steps were made, which may be several."""
    made: dict[str, set[str]] = {}
    for stage in graph.stages():
        for name, version in store.made(stage)["versions"].items():
            made.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions)) for name, versions in made.items()}


def _steps(graph: Graph, store: Store) -> list[Step]:
    """Return what made each step, as its artifact says it."""
    steps = []
    for stage in graph.stages():
        done, about = store.made(stage), stage.about
        steps.append(
            Step(
                stage.kind.value,
                stage.name,
                str(about.get("model") or ""),
                str(about.get("arm") or ""),
                about.get("seed"),
                done.get("device", ""),
                done.get("dtype", ""),
                ", ".join(f"{name} {version}" for name, version in done["versions"].items()),
                done["host"],
                done["started"],
                done["seconds"],
                os.path.relpath(store.path(stage), store.root.parent),
            )
        )
    return steps
