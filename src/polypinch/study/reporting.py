"""From a finished study to its report."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError
from polypinch.files import read_json, read_table
from polypinch.judge.cost import dollars
from polypinch.languages import language
from polypinch.report import ArmInfo, LanguageInfo, ReportData, Sample, write_report
from polypinch.stats import Estimate
from polypinch.study.compare import ALL
from polypinch.study.findings import Dosed, answer, caveats, contrast
from polypinch.study.graph import Graph, Tuned
from polypinch.study.harness import imported_rows
from polypinch.study.inputs import Inputs
from polypinch.study.judging import TOTALS
from polypinch.study.measures import measures
from polypinch.study.results import ArmResults, Axes, axes, estimates, mixture_lines, read_results, scores
from polypinch.study.spec import MONOLINGUAL, UNTUNED, Study
from polypinch.study.store import Store
from polypinch.study.tasks import task_rows, task_wording

_PACKAGES = ("polypinch", "torch", "transformers", "peft", "datasets", "py3langid", "sacrebleu", "numpy")
_SAMPLE_ITEMS = 6


def report(inputs: Inputs, graph: Graph, store: Store, directory: Path) -> Path:
    """Write a study's report, tables and figures; return the page's path.

    Raises:
        PinchError: a step of the study is not done yet.
    """
    waiting = [stage for stage in graph.stages() if store.state(stage) != "done"]
    if waiting:
        raise PinchError(
            f"{len(waiting)} of {len(graph.stages())} steps are not done, the next is"
            f" {waiting[0].kind} {waiting[0].name}",
            fix="polypinch run goes on from there",
        )
    data = gather(inputs, graph, store)
    brought_in = imported_rows(inputs.study, directory)
    return write_report(replace(data, tasks=[*data.tasks, *brought_in]), directory)


def gather(inputs: Inputs, graph: Graph, store: Store) -> ReportData:
    """Read a finished study into what the report shows."""
    study = inputs.study
    shared = axes(inputs)
    results = read_results(inputs, graph, store)
    infos = _arms(inputs, graph, store)
    dose = {info.name: (info.dose_examples, info.rows) for info in infos}
    baselines = {info.name for info in infos if info.is_baseline}
    answers, change = [], []
    apart: list[str] = []
    for model in study.models:
        arms = [result for result in results if result.model == model]
        baseline = next((a for a in arms if a.arm in baselines), None)
        steps, apart = ladder(study, baseline.arm if baseline else None)
        dosed = [Dosed(a, *dose[a.arm]) for a in arms if a.arm in steps]
        untuned = next((a for a in arms if a.arm == UNTUNED), None)
        answers.append(answer(shared, baseline, dosed, model, untuned))
        if baseline is not None:
            change += _loss_change(shared, baseline, arms)
    ordered = inputs.judging is not None and inputs.judging.declared.kind != "grade"
    judged = any(result.outcome is not None for result in results)
    by_model = inputs.judging.words if inputs.judging else "reference"
    notes = caveats(shared, len(inputs.answered["item_id"].unique()), by_model if judged else None)
    judging = judging_totals(inputs, graph, store)
    if judging is not None:
        notes.append(f"The judge was asked as follows: {judging_words(judging)}.")
    if any(result.settled for result in results):
        notes.append(
            "Judging stopped in each language where its score was settled. Intervals of scores are confidence"
            " sequences: they hold together, whenever judging stops, and speak of the held-out items alone."
        )
    if apart:
        notes.append(
            f"The answer leaves out {', '.join(apart)}: they differ from the arm without a dose in more than"
            " the dose (base language, tuning, placement, items or repetition)."
        )
    if judged and study.comparison.against == MONOLINGUAL:
        notes.append(
            "Scores compare with the model tuned on the whole budget in each language (50 is parity), so they"
            " are not comparable across languages: each has its own opponent."
        )
    return ReportData(
        title=study.name,
        models=list(study.models),
        answer=" ".join(answers),
        caveats=notes,
        arms=infos,
        languages=_languages(inputs),
        scores=[row for result in results for row in _scores(shared, result, study.comparison.against)],
        judge=[row for result in results for row in _judge(shared, result, ordered)],
        fidelity=[row for result in results for row in _fidelity(shared, result)],
        loss=[row for result in results for row in _loss(shared, result)],
        loss_change=change,
        tasks=task_rows(inputs, graph, store),
        mixtures=mixture_lines(inputs, graph, store),
        samples=_samples(inputs, graph, store),
        settings={
            "study": study.model_dump(mode="json"),
            "chat_template": _chats(inputs),
            **({"judging": judging} if judging is not None else {}),
            **({"wording of tasks": task_wording(inputs)} if inputs.tasks else {}),
        },
        versions={name: version(name) for name in _PACKAGES},
        artifacts=_artifacts(graph, store),
    )


def judging_totals(inputs: Inputs, graph: Graph, store: Store) -> dict[str, Any] | None:
    """Return what the language model that judged was asked, in all, or ``None`` where none was."""
    if inputs.judging is None:
        return None
    total: Counter[str] = Counter()
    costs = []
    for path in {store.path(one.verdicts) for one in graph.compared}:
        found = read_json(path / TOTALS)
        costs.append(found.pop("cost"))
        total.update(found)
    known = [cost for cost in costs if cost is not None]
    cost = sum(known) if known else None
    return {**inputs.judging.identity, **dict(total), "cost": cost}


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


def ladder(study: Study, baseline: str | None) -> tuple[list[str], list[str]]:
    """Divide dosed arms into those that differ from the baseline in their dose alone, and the rest.

    An arm whose own base is another language, or another model, counts as dosed: it is apart.
    """
    arms = [arm for arm in study.arms if not study.is_baseline(arm)]
    base = next((arm for arm in study.arms if arm.name == baseline), None)
    if base is None or not arms:
        return [], []
    same = [
        arm
        for arm in arms
        if arm.base in (None, study.base)
        and arm.model is None
        and study.recipe(arm) == study.recipe(base)
        and all(dose.times == 1 for dose in arm.doses)
    ]
    kinds = Counter((arm.placement, arm.items) for arm in same)
    usual = kinds.most_common(1)[0][0] if kinds else None
    steps = [arm.name for arm in same if (arm.placement, arm.items) == usual]
    return steps, [arm.name for arm in arms if arm.name not in steps]


def _chats(inputs: Inputs) -> dict[str, str]:
    return {name: chat.name for name, chat in inputs.chats.items()}


def _arms(inputs: Inputs, graph: Graph, store: Store) -> list[ArmInfo]:
    study = inputs.study
    infos = [ArmInfo(UNTUNED, 0, 0.0, 0, False, "untuned base")]
    for arm in study.arms:
        run = next(run for run in graph.tuned if run.arm == arm.name)
        assert run.mixture is not None
        manifest = read_json(store.path(run.mixture) / "manifest.json")
        rows = manifest["rows"]
        dose = sum(line["examples"] for line in manifest["languages"] if line["language"] != study.base)
        is_baseline = dose == 0 and arm.model is None
        infos.append(ArmInfo(arm.name, dose, dose / rows, rows, is_baseline, f"{dose} of {rows}"))
    return [infos[0], *sorted(infos[1:], key=lambda info: info.dose_examples)]


def _languages(inputs: Inputs) -> list[LanguageInfo]:
    study = inputs.study
    infos = []
    for tag in study.evaluated:
        group = "base" if tag == study.base else "seen" if tag in study.languages.seen else "unseen"
        found = language(tag)
        infos.append(LanguageInfo(tag, found.name, found.autonym, found.direction, group))
    return infos


def _scores(shared: Axes, result: ArmResults, against: str) -> list[dict[str, Any]]:
    if result.outcome is None or result.flipped is None:
        return []
    flips = estimates(shared, result.flipped)
    return [
        {
            "model": result.model,
            "arm": result.arm,
            "against": against,
            "language": name,
            **estimate.as_dict(),
            "flip_rate": flips[name].value if name in flips else None,
            "missing": _counted(shared, result.missing, name),
            "not_asked": _counted(shared, result.not_asked, name),
        }
        for name, estimate in scores(shared, result).items()
        if name != ALL
    ]


def _judge(shared: Axes, result: ArmResults, ordered: bool) -> list[dict[str, Any]]:
    """Return the score and what it hangs on, by language and over all of them, 0 to 100."""
    if result.judged is None:
        return []
    own = scores(shared, result)
    found = {(name, "score"): own[name] for name in (*shared.languages, ALL) if name in own}
    for measure, values in measures(result.judged, ordered).items():
        for name, one in zip((*shared.languages, ALL), (*values.languages, values.overall), strict=True):
            if one.n_items:
                ends = (100 * one.value, 100 * one.low, 100 * one.high)
                found[name, measure] = Estimate(*ends, one.n_items, one.n_seeds)
    about = {"model": result.model, "arm": result.arm}
    return [
        {**about, "language": name, "measure": measure, **one.as_dict()}
        for (name, measure), one in found.items()
    ]


def _counted(shared: Axes, counts: dict[str, int], name: str) -> int:
    where = shared.groups.get(name)
    tags = [name] if where is None else [shared.languages[index] for index in where]
    return sum(counts.get(tag, 0) for tag in tags)


def _fidelity(shared: Axes, result: ArmResults) -> list[dict[str, Any]]:
    lines, words = estimates(shared, result.line_pass), estimates(shared, result.word_pass)
    return [
        {
            "model": result.model,
            "arm": result.arm,
            "language": name,
            **estimate.as_dict(),
            "line_pass": lines[name].value if name in lines else None,
            "word_pass": words[name].value if name in words else None,
            "abstained": None if name in shared.groups else result.abstained.get(name, 0),
        }
        for name, estimate in estimates(shared, result.in_language).items()
    ]


def _loss(shared: Axes, result: ArmResults) -> list[dict[str, Any]]:
    if result.loss is None:
        return []
    return [
        {"model": result.model, "arm": result.arm, "language": name, **estimate.as_dict()}
        for name, estimate in estimates(shared, result.loss).items()
    ]


def _loss_change(shared: Axes, baseline: ArmResults, arms: list[ArmResults]) -> list[dict[str, Any]]:
    rows = []
    for arm in arms:
        if arm.loss is None or baseline.loss is None or arm.arm == baseline.arm:
            continue
        where = {tag: [index] for index, tag in enumerate(shared.languages)} | shared.groups
        for name, chosen in where.items():
            change = contrast(arm.loss, baseline.loss, chosen)
            rows.append({"model": arm.model, "arm": arm.arm, "language": name, **change.as_dict()})
    return rows


def _samples(inputs: Inputs, graph: Graph, store: Store) -> list[Sample]:
    """Return the first few answered items in every language, as the first seed of each arm answers."""
    study = inputs.study
    items = inputs.answered["item_id"].unique().slice(0, _SAMPLE_ITEMS)
    wanted = set(items.to_pylist())
    texts: dict[tuple[str, str], dict[str, str]] = {}
    flags: dict[tuple[str, str], dict[str, bool | None]] = {}
    for run in _first_runs(graph, study.models[0], study.seeds[0]):
        answers = read_table(store.path(run.answers) / "answers.parquet")
        found = read_table(store.path(run.fidelity) / "fidelity.parquet")
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


def _artifacts(graph: Graph, store: Store) -> list[dict[str, Any]]:
    rows = []
    for run in graph.tuned:
        for stage in (run.mixture, run.checkpoint):
            if stage is not None:
                rows.append(
                    {"model": run.model, "arm": run.arm, "seed": run.seed, "kind": stage.kind,
                     "path": str(store.path(stage))}
                )  # fmt: skip
    return rows
