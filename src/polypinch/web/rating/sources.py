"""What is rated: answers of a study's arms, or of two files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from polypinch.errors import PinchError
from polypinch.judge import check_pairs, read_pairs
from polypinch.judge.people import Rated, Rater, Task, drawn_items, known_tasks, make_job
from polypinch.languages import languages as tags_of
from polypinch.pool import Pool
from polypinch.study import Graph, Record, State, Store, Tuned
from polypinch.thoughts import answer_of
from polypinch.web.rating.wording import guidelines_for

Key = tuple[str, str]
"""(item_id, language)."""


@dataclass(frozen=True)
class Drawing:
    """How a job is drawn.

    Attributes:
        rated: pairs or single answers.
        items: in each language; all by default.
        raters: in each language.
        repeats: that each rater has twice.
        known: answers in each language that are known to be better or bad.
        seed: of all that is drawn.
    """

    rated: Rated = Rated.PAIRS
    items: int | None = None
    raters: int = 2
    repeats: int = 3
    known: int = 3
    seed: int = 0


def job_from_study(
    folder: Path,
    study: tuple[Record, Graph, Store],
    drawing: Drawing,
    *,
    arms: Sequence[str] = (),
    languages: Sequence[str] = (),
    against: str | None = None,
    seeds: Sequence[int] = (),
    model: str | None = None,
) -> list[Rater]:
    """Make a job from a study's answers.

    Args:
        folder: of the job.
        study: what it was about, its steps and their artifacts; the answers have to be there.
        drawing: how it is drawn.
        arms: which; all by default.
        languages: which; all that are evaluated by default.
        against: whom pairs are compared with; by default as the study compares.
        seeds: training seeds; the first by default.
        model: of several base models, whose arms; the first by default.

    Returns:
        The raters.

    Raises:
        PinchError: the study has no such arm, language or seed, or its answers are not done.
    """
    record, graph, store = study
    declared = record.study
    against = against or declared.comparison.against
    seeds = tuple(seeds) or declared.seeds[:1]
    model = model or declared.models[0]
    tags = tuple(tags_of(list(languages))) if languages else declared.evaluated
    _refuse_unknown("language", tags, declared.evaluated)
    _refuse_unknown("seed", seeds, declared.seeds)
    _refuse_unknown("model", [model], declared.models)
    runs = [run for run in graph.tuned if run.model == model and run.seed in (*seeds, None)]
    _refuse_unknown("arm", arms, sorted({run.arm for run in runs}))
    prompts = {key: text for key, text in record.conversations().items() if key[1] in tags}
    drawn = drawn_items([item for item, _ in prompts], drawing.items, drawing.seed)
    keys = [(item, tag) for tag in tags for item in drawn if (item, tag) in prompts]
    fewer: Counter[str] = Counter()
    texts = _Texts(store)
    tasks = []
    if drawing.rated is Rated.PAIRS:
        for arm, other, seed in _pairs(graph, runs, arms, against, seeds):
            tasks += _pair_tasks(
                keys, prompts, texts.of(*arm), texts.of(*other), (arm[0].arm, against, seed), fewer
            )
    else:
        for run in runs:
            if not arms or run.arm in arms:
                tasks += _answer_tasks(keys, prompts, texts.of(run), run, fewer)
    references = {key: (prompts[key], text) for key, text in record.references().items() if key in prompts}
    tasks += _known(tags, references, drawing, fewer)
    source = f"study {declared.name}, {model}"
    return _make(folder, tasks, drawing, tags, source, fewer)


def job_from_files(
    folder: Path,
    ours: Path,
    theirs: Path,
    drawing: Drawing,
    pool: Pool | None = None,
    languages: Sequence[str] = (),
) -> list[Rater]:
    """Make a job from two files of answers; see :func:`~polypinch.judge.read_pairs`.

    Raises:
        PinchError: a file cannot be read, or they share nothing in these languages.
    """
    pairs = check_pairs(read_pairs(ours, theirs, pool))
    rows = pairs.to_pylist()
    tags = tuple(tags_of(list(languages))) if languages else tuple(sorted({row["language"] for row in rows}))
    _refuse_unknown("language", tags, sorted({row["language"] for row in rows}))
    drawn = drawn_items([row["item_id"] for row in rows], drawing.items, drawing.seed)
    rows = [row for row in rows if row["language"] in tags and row["item_id"] in drawn]
    keys = [(row["item_id"], row["language"]) for row in rows]
    prompts = {key: row["prompt"] for key, row in zip(keys, rows, strict=True)}
    sides = [
        {key: row[side] for key, row in zip(keys, rows, strict=True) if row[side] is not None}
        for side in ("arm_text", "against_text")
    ]
    names = ours.stem, theirs.stem if theirs.stem != ours.stem else f"{theirs.parent.name}/{theirs.stem}"
    fewer: Counter[str] = Counter()
    if drawing.rated is Rated.PAIRS:
        tasks = _pair_tasks(keys, prompts, sides[0], sides[1], (*names, None), fewer)
    else:
        tasks = [
            Task("", item, tag, name, None, None, prompts[item, tag], texts[item, tag], None)
            for name, texts in zip(names, sides, strict=True)
            for item, tag in keys
            if (item, tag) in texts
        ]
    references = {
        key: (row["prompt"], row["reference"])
        for key, row in zip(keys, rows, strict=True)
        if row["reference"]
    }
    tasks += _known(tags, references, drawing, fewer)
    return _make(folder, tasks, drawing, tags, f"{names[0]} against {names[1]}", fewer)


def _make(
    folder: Path,
    tasks: list[Task],
    drawing: Drawing,
    tags: tuple[str, ...],
    source: str,
    fewer: Mapping[str, int],
) -> list[Rater]:
    return make_job(
        folder,
        tasks,
        drawing.rated,
        raters=drawing.raters,
        repeats=drawing.repeats,
        seed=drawing.seed,
        source=source,
        fewer=fewer,
        guidelines=guidelines_for(tags, drawing.rated),
    )


class _Texts:
    """Answers of runs, read once; of several samples the first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, dict[Key, str]] = {}

    def of(self, *runs: Tuned) -> dict[Key, str]:
        texts: dict[Key, str] = {}
        for run in runs:
            mark = run.answers.fingerprint
            if mark not in self._read:
                if self._store.state(run.answers) is not State.DONE:
                    raise PinchError(
                        f"{run.arm} has not answered yet", fix="polypinch run goes on; then make the job"
                    )
                self._read[mark] = _first_samples(self._store.read(run.answers))
            texts |= {key: text for key, text in self._read[mark].items() if key[1] in run.evaluated}
        return texts


def _first_samples(table: pa.Table) -> dict[Key, str]:
    columns = [table[name].to_pylist() for name in ("item_id", "language", "sample", "text")]
    rows = zip(*columns, strict=True)
    return {
        (item, tag): answer_of(text) for item, tag, sample, text in rows if not sample and text is not None
    }


Runs = tuple[Tuned, ...]


def _pairs(
    graph: Graph, runs: Sequence[Tuned], arms: Sequence[str], against: str, seeds: Sequence[int]
) -> list[tuple[Runs, Runs, int]]:
    """Return which runs are compared with which, and the seed of the comparison."""
    own = {id(run) for run in runs}
    made: list[tuple[Runs, Runs, int]] = []
    compared = [one for one in graph.compared if one.against == against]
    if compared:
        for one in compared:
            seed = int(one.verdicts.about["seed"])
            if id(one.arm) in own and seed in seeds and (not arms or one.arm.arm in arms):
                made.append(((one.arm,), one.others, seed))
    else:
        _refuse_unknown("arm", [against], sorted({run.arm for run in runs}))
        for seed in seeds:
            others = tuple(run for run in runs if run.arm == against and run.seed in (seed, None))
            made += [
                ((run,), others, seed)
                for run in runs
                if run.arm != against and run.seed in (seed, None) and (not arms or run.arm in arms)
            ]
    if not made:
        raise PinchError(
            f"no arm to be compared with {against}", fix="name another with --against, or other --arms"
        )
    return made


def _pair_tasks(
    keys: Sequence[Key],
    prompts: Mapping[Key, str],
    ours: Mapping[Key, str],
    theirs: Mapping[Key, str],
    names: tuple[str, str, int | None],
    fewer: Counter[str],
) -> list[Task]:
    arm, against, seed = names
    tasks = []
    for key in keys:
        if key not in ours or key not in theirs:
            fewer["an answer is missing"] += 1
            continue
        same = ours[key].strip() == theirs[key].strip()
        fewer["both answers are identical"] += same
        tasks.append(Task("", *key, arm, against, seed, prompts[key], ours[key], theirs[key], identical=same))
    return tasks


def _answer_tasks(
    keys: Sequence[Key], prompts: Mapping[Key, str], texts: Mapping[Key, str], run: Tuned, fewer: Counter[str]
) -> list[Task]:
    own = [key for key in keys if key[1] in run.evaluated]
    fewer["an answer is missing"] += sum(key not in texts for key in own)
    return [
        Task("", *key, run.arm, None, run.seed, prompts[key], texts[key], None) for key in own if key in texts
    ]


def _known(
    tags: Sequence[str], references: Mapping[Key, tuple[str, str]], drawing: Drawing, fewer: Counter[str]
) -> list[Task]:
    tasks = []
    for tag in tags:
        own = known_tasks(references, tag, drawing.known, drawing.rated, drawing.seed)
        fewer["a known answer needs references"] += drawing.known - len(own)
        tasks += own
    return tasks


def _refuse_unknown(what: str, named: Sequence[object], known: Sequence[object]) -> None:
    unknown = [str(name) for name in named if name not in known]
    if unknown:
        raise PinchError(f"no {what} {', '.join(unknown)}", fix=f"there are: {', '.join(map(str, known))}")
