"""How little multilinguality is enough? polypinch finds out for your model, your data and your languages.

Each step is a room; the way of the data, from a pool to a tuned model's answers:

    from pathlib import Path
    from polypinch.pool import open_pool
    from polypinch.mix import make_mixture, pinch
    from polypinch.models import find_model
    from polypinch.tune import TuneRecipe, load_tuned, tune
    from polypinch.chat import ChatFormat
    from polypinch.answer import Sampling, TransformersEngine, answer
    from polypinch.fidelity import fidelity_table

    plan = pinch("pinch12", languages=["es", "fi"], count=8, examples=24)
    pool = open_pool(plan.pool)
    mixture = make_mixture(plan, pool)                       # mixture.table, mixture.manifest
    model, folder = find_model("gemma-3-270m"), Path("tuned")
    tune(mixture.table, model, TuneRecipe(epochs=1), seed=1, directory=folder)
    chat = ChatFormat.load(model)
    engine = TransformersEngine(load_tuned(model, folder), chat)
    prompts = pool.select().filter([split == "heldout" for split in pool.select()["split"].to_pylist()])
    answers = answer(prompts.slice(0, 8), engine, chat, Sampling(max_new_tokens=16), Path("answers"))
    told = fidelity_table(answers["text"].to_pylist(), answers["language"].to_pylist())

A whole study, from its YAML file to its report (finished steps are skipped), and what it found:

    from polypinch.files import read_json
    from polypinch.publish import report
    from polypinch.specs import load_yaml
    from polypinch.study import Store, Study, build, open_inputs, run

    inputs, store = open_inputs(load_yaml(Path("study.yaml"), Study)), Store(Path("study/store"))
    graph = build(inputs, store)
    run(graph, store)
    report(inputs, graph, store, Path("study"))
    findings = read_json(Path("study/findings.json"))

Beside them: ``translate`` makes the rows that a plan lacks, ``judge`` compares answers, ``probe`` says what
each language costs a model, ``tasks`` scores what can be checked, ``stats`` is arrays in, numbers out. On the
command line the same: ``polypinch demo``, ``run``, ``mix``, ``tune``, ``answer``, ``fidelity``, ``compare``,
``translate``; ``--help`` has examples.
"""

import lazy_loader

__version__ = "0.1.0"

_rooms = [
    "answer",
    "chat",
    "experiments",
    "fidelity",
    "findings",
    "judge",
    "languages",
    "mix",
    "models",
    "paper",
    "pool",
    "probe",
    "publish",
    "report",
    "results",
    "stats",
    "study",
    "tasks",
    "translate",
    "tune",
]

__getattr__, __dir__, _ = lazy_loader.attach(__name__, _rooms)
