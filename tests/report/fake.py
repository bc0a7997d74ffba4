"""Plausible made-up studies, to look at and to test on."""

import random
from dataclasses import replace
from typing import Any

from polypinch.languages.tags import language
from polypinch.measure import FIDELITY, LOSS
from polypinch.report import ArmInfo, AtDose, Conclusion, Endpoint, LanguageInfo, ReportData, Sample, Step
from polypinch.report.estimates import ROWS, JudgeShare
from polypinch.report.judge import COLUMNS

SEEN, UNSEEN = ("es", "fi", "hi", "ru"), ("ar", "cs", "et", "he", "it", "sw", "zh")
LEVEL = {
    "en": 0.69,
    "es": 0.63,
    "fi": 1.15,
    "hi": 0.37,
    "ru": 0.52,
    "ar": 0.81,
    "cs": 0.94,
    "et": 1.30,
    "he": 0.78,
}
LEVEL |= {"it": 0.69, "sw": 1.42, "zh": 0.88, "de": 0.7, "ja": 0.66, "pt": 0.62}
TEXTS = {
    "ar": (
        "اشرح لطفل في العاشرة لماذا يبدو البحر أزرق.",
        "يبدو البحر أزرق لأن الماء يمتص ألوان الضوء الحمراء (600–700 nm) أكثر من الزرقاء.",
    ),
    "he": (
        "הסבר לילד בן עשר מדוע הים נראה כחול.",
        "הים נראה כחול כי המים בולעים אור אדום יותר מאור כחול, למשל ב-10 מטרים.",
    ),
    "zh": (
        "请向一个十岁的孩子解释为什么大海看起来是蓝色的。",
        "大海看起来是蓝色的，因为水更多地吸收红光，而把蓝光散射回来。",
    ),
    "fi": (
        "Selitä kymmenvuotiaalle, miksi meri näyttää siniseltä.",
        "Meri näyttää siniseltä, koska vesi imee punaista valoa enemmän kuin sinistä.",
    ),
}
ENGLISH = (
    "Explain to a ten-year-old why the sea looks blue.",
    "The sea looks blue because water soaks up red light more than blue light.",
)


def _rows(
    model: str, arms: list[ArmInfo], tags: tuple[str, ...], seen: tuple[str, ...], seeds: int
) -> dict[str, list[dict[str, Any]]]:
    rng = random.Random(model)
    tables: dict[str, list[dict[str, Any]]] = {"scores": [], "fidelity": [], "loss": [], "loss_change": []}

    def add(
        table: str, arm: str, name: str, value: float, half: float, low: float, high: float, **more: Any
    ) -> None:
        ends = {"low": max(low, value - half), "high": min(high, value + half)}
        row = {
            "model": model,
            "arm": arm,
            "language": name,
            "value": value,
            **ends,
            "n_items": 40,
            "n_seeds": seeds,
        }
        if table in ("scores", "loss_change"):
            both = (value - 1.5 * half, value + 1.5 * half) if name in tags else (None, None)
            row |= dict(zip(("low_together", "high_together"), both, strict=True))
        tables[table].append(row | more)

    groups = {"seen": seen, "unseen": tuple(t for t in tags[1:] if t not in seen), "others": tags[1:]}
    groups = {name: members for name, members in groups.items() if members}
    own = {tag: rng.uniform(0.7, 1.3) for tag in tags}
    for arm in arms:
        gain = 0.0 if not arm.rows else (arm.dose_share + 0.02 * (arm.dose_examples > 0)) ** 0.5
        change, match = {}, {}
        for tag in tags:
            if tag == "en":
                change[tag] = 0.21 if not arm.rows else 0.02 * gain
            else:
                change[tag] = (
                    0.012 * own[tag]
                    if not arm.rows
                    else -0.045 * gain * own[tag] * (1 if tag in seen else 0.45)
                )
            change[tag] += 0 if arm.is_baseline else rng.gauss(0, 0.0015)
            match[tag] = 0.31 if not arm.rows else min(1.0, 0.72 * own[tag] ** 0.5 + 0.5 * gain)
            if tag == "en":
                match[tag] = 0.97 if arm.rows else 0.8
        for name, members in {**{t: (t,) for t in tags}, **groups}.items():
            wide = 1.0 if len(members) == 1 else 0.45
            d, m = (sum(x[t] for t in members) / len(members) for x in (change, match))
            add("loss", arm.name, name, sum(LEVEL[t] for t in members) / len(members) + d, 0.05 * wide, 0, 9)
            more = {"line_pass": m * 0.98, "word_pass": 0.995, "abstained": 1}
            more |= {"abstained_share": 0.025, "if_wrong": m * 0.975, "if_right": m * 0.975 + 0.025}
            add("fidelity", arm.name, name, m, 0.14 * wide * (1.1 - m) ** 0.5, 0, 1, **more)
            if not arm.is_baseline:
                add("loss_change", arm.name, name, d, 0.008 * wide, -9, 9)
                add("scores", arm.name, name, 50 + (-600 * d if arm.rows else -18), 13 * wide, 0, 100,
                    against="english", flip_rate=0.07, missing=0, not_asked=0)  # fmt: skip
    return tables


def _doses(
    model: str, arms: list[ArmInfo], change: list[dict[str, Any]], seeds: int
) -> dict[str, list[dict[str, Any]]]:
    """Return the tests of doses, the curves and the noise floor that go with changes of loss."""
    rows: dict[str, list[dict[str, Any]]] = {"doses": [], "curves": [], "noise": []}
    dosed = [arm for arm in arms if arm.rows]
    for name in dict.fromkeys(row["language"] for row in change):
        if seeds > 1:
            for measure, spread in (("loss", 0.003), ("score", 2.0), ("fidelity", 0.04)):
                rows["noise"].append(
                    {"model": model, "measure": measure, "language": name, "spread": spread,
                     "low": spread / 2, "high": spread * 2, "training": spread / 3, "freedom": 8}
                )  # fmt: skip
        if name not in ("others", "seen", "unseen") or len(dosed) < 3:
            continue
        found = {row["arm"]: row for row in change if row["language"] == name}
        gain = found[dosed[-1].name]["value"]
        about = {"model": model, "language": name}
        for arm in dosed:
            ends = {
                end: found[arm.name][end] if arm.dose_examples else 0.0 for end in ("value", "low", "high")
            }
            rows["curves"].append({**about, "curve": "measured", "dose": arm.dose_examples, **ends})
        for kind in ("isotonic", "saturating"):
            for dose in (arm.dose_examples for arm in dosed):
                value = 1.2 * gain * dose / (dose + 15)
                ends = {"value": value, "low": 1.3 * value, "high": 0.7 * value}
                rows["curves"].append({**about, "curve": kind, "dose": dose, **ends})
        smallest = None if name == "unseen" else dosed[2]
        for arm in reversed(dosed[1:]):
            own = {end: found[arm.name][end] for end in ("value", "low", "high", "n_items", "n_seeds")}
            told = smallest is not None and arm.dose_examples >= smallest.dose_examples
            needed = (None, None, None) if told else (0.005, 310, None if seeds == 1 else 7)
            rows["doses"].append(
                {**about, "question": "effective", "against": "none", "dose": arm.dose_examples,
                 "arm": arm.name, **own, "told": told, "smallest": arm is smallest, "harms": False,
                 **dict(zip(("needed_effect", "needed_items", "needed_seeds"), needed, strict=True))}
            )  # fmt: skip
            if not told:
                break
    return rows


def _judge(models: tuple[str, ...], arms: list[ArmInfo], tags: tuple[str, ...]) -> list[dict[str, Any]]:
    rng = random.Random(0)
    rows = []
    for model in models:
        for arm in (one for one in arms if not one.is_baseline):
            for name in (*tags, "all"):
                for measure in COLUMNS:
                    value = rng.uniform(20, 80)
                    ends = {"low": value - 9, "high": value + 9, "n_items": 40, "n_seeds": 1}
                    about = {"model": model, "arm": arm.name, "language": name, "measure": measure}
                    rows.append({**about, "value": value, **ends})
    return rows


def conclusion(model: str, arms: list[ArmInfo]) -> Conclusion:
    """What a person with a minute reads: the loss falls with the dose, and English pays for the largest."""
    doses = [arm.dose_examples for arm in arms if arm.dose_examples]
    last = len(doses) - 1
    loss = {
        dose: AtDose(
            -0.008 * (at + 1), -0.008 * (at + 1) - 0.009, -0.008 * (at + 1) + 0.009, at > 0, at > 0 or None
        )
        for at, dose in enumerate(doses)
    }
    match = {dose: AtDose(0.05, -0.02, 0.12, False, True) for dose in doses}
    english = {
        dose: AtDose(0.02, 0.012, 0.028, True, False)
        if at == last
        else AtDose(0.0, -0.004, 0.004, False, True)
        for at, dose in enumerate(doses)
    }
    endpoints = (
        Endpoint(LOSS, "others", "11 other languages", None, loss),
        Endpoint(FIDELITY, "others", "11 other languages", 0.05, match),
        Endpoint(LOSS, "base", "English", 0.005, english),
    )
    enough = tuple(doses[1:last])
    short = f"{enough[0]} of {arms[-1].rows} is enough" if enough else "Cannot tell yet"
    return Conclusion(model, short, "Some sentence.", arms[-1].rows, 2, enough, endpoints if doses else ())


def study(
    models: tuple[str, ...] = ("gemma-3-270m",),
    doses: tuple[int, ...] = (0, 8, 24, 72),
    rows: int = 96,
    seen: tuple[str, ...] = SEEN,
    unseen: tuple[str, ...] = UNSEEN,
    seeds: int = 1,
) -> ReportData:
    names = (
        ["english", *(f"pinch-{dose}" for dose in doses[1:-1]), "mixed"] if len(doses) > 1 else ["english"]
    )
    arms = [ArmInfo("untuned", 0, 0.0, 0, False, "untuned base")]
    arms += [
        ArmInfo(n, d, d / rows, rows, d == 0, f"{d} of {rows}") for n, d in zip(names, doses, strict=True)
    ]
    tags = ("en", *seen, *unseen)
    infos = []
    for tag in tags:
        found = language(tag)
        group = "base" if tag == "en" else "seen" if tag in seen else "unseen"
        infos.append(LanguageInfo(tag, found.name, found.autonym, found.direction, group))
    tables: dict[str, list[dict[str, Any]]] = {}
    for model in models:
        found_rows = _rows(model, arms, tags, seen, seeds)
        found_rows |= _doses(model, arms, found_rows["loss_change"], seeds)
        for name, lines in found_rows.items():
            tables.setdefault(name, []).extend(lines)
    mixtures = []
    for arm in arms[1:]:
        members = seen if arm.name != "mixed" else tags[1:]
        counts = {"en": arm.rows - arm.dose_examples}
        for index in range(arm.dose_examples):
            tag = members[index % len(members)]
            counts[tag] = counts.get(tag, 0) + 1
        for tag, n in counts.items():
            asked = f"{n} examples" if tag != "en" else "the rest"
            line = {
                "arm": arm.name,
                "language": tag,
                "requested": asked,
                "requested_amount": n if tag != "en" else None,
                "requested_unit": "examples" if tag != "en" else None,
                "examples": n,
                "share": n / arm.rows,
            }
            losses = {"tokens": n * 71, "supervised_tokens": n * 44, "truncated": 0, "duplicates": 0}
            mixtures.append({**line, **losses})
    samples = []
    for tag in tags:
        for item in ("heldout-003", "heldout-017"):
            prompt, reference = TEXTS.get(tag, ENGLISH)
            answers = {
                arm.name: reference if arm.dose_examples or tag == "en" else ENGLISH[1] for arm in arms
            }
            answers["untuned"] = "the sea the sea the sea the sea " * 12
            flags = {
                arm.name: None if arm.name == "untuned" else bool(arm.dose_examples) or tag == "en"
                for arm in arms
            }
            samples.append(Sample(item, tag, prompt, reference, answers, flags))
    return ReportData(
        title="A pinch of pinch12",
        models=list(models),
        answer=f"{models[0]}: 8 of {rows} training examples in other languages, the smallest dose tried,"
        " are enough to lower held-out loss over the 11 other languages: −0.010 bits per byte, 95 % interval"
        " −0.014 to −0.007 against english (40 items, 1 seed).",
        conclusions=[conclusion(model, arms) for model in models],
        details=[
            ("How sure", "Doses are tested together, from the largest down to the first that cannot be told"
             " from none, so that a dose too small is named in at most 2.5 of 100 studies like this."),
            ("The 7 unseen languages", "Cannot tell: the largest dose changes loss by −0.016 bits per byte."),
        ],
        findings={"study": "A pinch of pinch12", "models": [{"model": model} for model in models]},
        caveats=[
            "1 training seed: intervals show how results vary with the held-out items, and not how another"
            " run would come out. Three seeds or more tell that.",
            "24 prompts were answered in each language: fidelity and scores of single languages are rough;"
            " read the averages, and the intervals first.",
            "Held-out loss tells how well an arm predicts good responses; a lower loss is not yet a better"
            " answer.",
        ],
        arms=arms,
        languages=infos,
        **{name: [ROWS[name](**row) for row in lines] for name, lines in tables.items()},
        mixtures=mixtures,
        samples=samples,
        judge=[JudgeShare(**row) for row in _judge(models, arms, tags)],
        settings={"study": {"base": "en", "seeds": [7], "tuning": {"epochs": 2, "lora_r": 16}}},
        versions={"polypinch": "0.1.0", "torch": "2.9.1", "transformers": "5.0.0"},
        steps=[
            Step(kind, f"{arm.name}-s7", models[0], arm.name, 7, "cpu" if kind == "tune" else "", "bfloat16",
                 "polypinch 0.1.0, torch 2.9.1", "a-machine", "2026-01-02T03:04:05+00:00", 61.5,
                 f"store/{kind}/{arm.name}-3fa9c1d2")
            for arm in arms[1:] for kind in ("mixture", "tune")
        ],
    )  # fmt: skip


def without(data: ReportData, *names: str) -> ReportData:
    return replace(data, **{name: [] for name in names})
