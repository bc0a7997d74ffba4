"""A study's folder with a store of made-up answers: no model is asked, so it takes no time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from polypinch.fidelity import FIDELITY_SCHEMA
from polypinch.judge import VERDICT_SCHEMA
from polypinch.judge.protocol import ORDERS
from polypinch.mix import make_mixture
from polypinch.pool import POOL_SCHEMA
from polypinch.study import Compared, Graph, Kind, Stage, Store, Study, Tuned, write_record
from polypinch.study.artifacts import ANSWERS, FIDELITY, LOSS, MANIFEST, MIXTURE, SUMMARY, VERDICTS
from polypinch.study.record import JudgeFacts, Record
from tests.pools import parallel_pool, word_counter

TAGS = ("en", "es", "fi", "ar", "he")
SAID = {
    "en": ("Why is the sea blue?", "Because water soaks up red light, and blue is left."),
    "es": ("¿Por qué es azul el mar?", "Porque el agua absorbe la luz roja y queda la azul."),
    "fi": ("Miksi meri on sininen?", "Koska vesi imee punaista valoa ja sininen jää jäljelle."),
    "ar": ("لماذا يبدو البحر أزرق؟", "لأن الماء يمتص الضوء الأحمر ويبقى الأزرق."),
    "he": ("מדוע הים כחול?", "כי המים בולעים אור אדום והכחול נשאר."),
}
HOSTILE = (
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "\"><svg onload=alert(1)>' onclick='alert(2)",
    "{{ 7 * 7 }} {% raw %} ${7*7} <!--#exec-->",
    "</div></main></body><h1>outside</h1>",
    "javascript:alert(1) http://elsewhere.example/x.js",
    "\u202egnol si siht\u202c \u2066left\u2069 \x07\x1b[31m",
    '=HYPERLINK("http://elsewhere.example";"x")',
)


def prompt_of(item: str, tag: str) -> str:
    return f"{SAID[tag][0]} ({item})"


def reference_of(item: str, tag: str) -> str:
    return f"{SAID[tag][1]} [{item}]"


def answer_text(arm: str, seed: int | None, item: str, tag: str) -> str:
    number = int(item.removeprefix("h"))
    if tag != "en" and (arm == "untuned" or (arm == "english" and number % 3 == 0)):
        return f"{SAID['en'][1]} ({arm} {item})"  # in the wrong language
    hostile = f" {HOSTILE[number % len(HOSTILE)]}" if arm.startswith("pinch") else ""
    more = "" if arm == "english" or number % 4 else " And so on." * 12
    return f"{SAID[tag][1]} ({arm} {seed} {item}){hostile}{more}"


def _heldout(items: Sequence[str], tags: Sequence[str]) -> pa.Table:
    rows = [
        {
            "item_id": item,
            "language": tag,
            "messages": [
                {"role": "user", "content": prompt_of(item, tag)},
                {"role": "assistant", "content": reference_of(item, tag)},
            ],
            "source": "made",
            "licence": "CC0-1.0",
            "origin": "native",
            "split": "heldout",
        }
        for item in items
        for tag in tags
    ]
    return pa.Table.from_pylist(rows, schema=POOL_SCHEMA)


def made_study(
    out: Path,
    *,
    items: int = 8,
    seeds: Sequence[int] = (1, 2),
    unfinished: Callable[[Stage], bool] = lambda stage: False,
    answer: Callable[[str, int | None, str, str], str] = answer_text,
    **changes: Any,
) -> Path:
    """Write the study's folder; the steps that are ``unfinished`` are left to do."""
    study = Study(
        **{
            "name": "made",
            "models": ["base"],
            "pool": "pool",
            "budget": {"examples": 16},
            "languages": {"seen": ["es", "fi"], "unseen": ["ar", "he"]},
            "arms": [
                {"name": "english"},
                {"name": "pinch-4", "doses": [{"languages": ["es", "fi"], "count": 4}]},
            ],
            "seeds": list(seeds),
            "comparison": {"against": "english"},
            **changes,
        }
    )
    store = Store(out / "store")
    pool = parallel_pool(TAGS, train=24)
    names = [f"h{number}" for number in range(items)]
    keys = [(item, tag) for item in names for tag in TAGS]
    record = Record(study, _heldout(names, TAGS), (), {"base": "gemma"}, JudgeFacts())

    def stage(
        kind: Kind, label: str, needs: tuple[Stage, ...], work: Callable[[Path], None], **about: Any
    ) -> Stage:
        return Stage.of(
            kind, label, {"label": label, "items": items}, needs, work, {"model": "base", **about}
        )

    def tuned(arm: str, seed: int | None) -> Tuned:
        label = arm if seed is None else f"{arm}-s{seed}"
        about = {"arm": arm, "seed": seed}
        texts = [answer(arm, seed, *key) for key in keys]
        mixture = checkpoint = None
        if seed is not None:
            plan = study.plan(next(one for one in study.arms if one.name == arm), seed)

            def mix(directory: Path) -> None:
                made = make_mixture(plan, pool, word_counter, [])
                MIXTURE.write(directory, made.table)
                MANIFEST.write(directory, made.manifest)

            mixture = stage(Kind.MIXTURE, label, (), mix, **about)
            checkpoint = stage(
                Kind.TUNE,
                label,
                (mixture,),
                lambda directory: SUMMARY.write(directory, {"steps": 4}),
                **about,
            )
        needs = (checkpoint,) if checkpoint else ()
        loss = stage(Kind.LOSS, label, needs, lambda d: LOSS.write(d, _losses(arm, seed, keys)), **about)
        answers = stage(
            Kind.ANSWERS, label, needs, lambda d: ANSWERS.write(d, _answers(keys, texts)), **about
        )
        fidelity = stage(
            Kind.FIDELITY, label, (answers,), lambda d: FIDELITY.write(d, _fidelity(keys, texts)), **about
        )
        return Tuned("base", arm, seed, TAGS, mixture, checkpoint, loss, answers, fidelity)

    runs = [tuned("untuned", None), *(tuned(arm.name, seed) for seed in seeds for arm in study.arms)]
    compared = []
    for seed in seeds:
        other = next(run for run in runs if (run.arm, run.seed) == ("english", seed))
        for run in [runs[0], *(run for run in runs if run.seed == seed and run.arm != "english")]:
            label = f"{run.arm}-against-english-s{seed}"
            needs = (run.answers, other.answers)

            def judge(directory: Path, arm: str = run.arm, seed: int = seed) -> None:
                VERDICTS.write(directory, _verdicts(arm, seed, keys))

            verdicts = stage(Kind.VERDICTS, label, needs, judge, arm=run.arm, seed=seed)
            compared.append(Compared(run, "english", (other,), verdicts))
    graph = Graph(tuple(runs), tuple(compared))
    write_record(out, record, graph, store)
    for one in graph.stages():
        if not unfinished(one):
            store.make(one)
    return out


def _losses(arm: str, seed: int | None, keys: Sequence[tuple[str, str]]) -> pa.Table:
    rows = []
    for place, (item, tag) in enumerate(keys):
        gain = 0.1 if arm.startswith("pinch") and tag != "en" else 0.0
        bits = 1.0 - gain + 0.01 * (place % 5) + 0.002 * (seed or 0)
        rows.append(
            {"item_id": item, "language": tag, "nats": bits * 28, "supervised_tokens": 12, "bytes": 40,
             "bits_per_byte": bits}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=LOSS.schema)


def _answers(keys: Sequence[tuple[str, str]], texts: Sequence[str]) -> pa.Table:
    rows = [
        {
            "item_id": item,
            "language": tag,
            "sample": 0,
            "text": text,
            "thought": "Let me think <b>aloud</b>." if item == "h1" else "",
            "finish_reason": "length" if len(text) > 150 else "stop",
            "prompt_tokens": 12,
            "completion_tokens": len(text) // 4,
            "engine": "made",
            "sampling": "{}",
        }
        for (item, tag), text in zip(keys, texts, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=ANSWERS.schema)


def _fidelity(keys: Sequence[tuple[str, str]], texts: Sequence[str]) -> pa.Table:
    rows = []
    for (item, tag), text in zip(keys, texts, strict=True):
        own = text.startswith(SAID[tag][1])
        told = None if item == "h2" else own
        response = None if told is None else tag if own else "en"
        rows.append(
            {"response_language": response, "confidence": 0.9, "in_language": told, "line_pass": told,
             "word_pass": None, "item_id": item, "language": tag, "sample": 0}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([*FIDELITY_SCHEMA, *list(FIDELITY.schema)[5:]]))


def _verdicts(arm: str, seed: int, keys: Sequence[tuple[str, str]]) -> pa.Table:
    rows = []
    for place, (item, tag) in enumerate(keys):
        for order in ORDERS:
            row = {"arm": arm, "against": "english", "seed": seed, "item_id": item, "language": tag,
                   "order": order, "judge": "pairwise:made", "raw": '{"winner": "A"} <i>raw</i>',
                   "reason": "It is clearer.", "probabilities": {"first": 0.7, "second": 0.2, "tie": 0.1},
                   "prompt_tokens": 90,
                   "completion_tokens": 9, "arm_length": 60, "against_length": 55}  # fmt: skip
            wins = arm != "untuned" and place % 5 != 4
            if place % 7 == 3:
                row |= {"winner": "first", "reason": "The first one, whatever it is."}  # it flips
            elif place % 11 == 5:
                row |= {"winner": None, "error": "the reply is no verdict", "reason": None}
            else:
                row["winner"] = "first" if wins == (order == ORDERS[0]) else "second"
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)
