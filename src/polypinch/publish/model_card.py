"""The card of a tuned model: what it is made of, what was measured, and what that cannot show."""

from __future__ import annotations

import re
from pathlib import Path

from polypinch.errors import PinchError
from polypinch.languages import language
from polypinch.models import GEMMA_TERMS
from polypinch.publish.cards import front_matter, hub_licence, table
from polypinch.publish.data_card import delivered_table
from polypinch.publish.handed import Handed, Line
from polypinch.specs import parse_yaml

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_BUILT_IN = "gemma-3-270m"
_AVERAGES = {
    "seen": "average, in the pinch",
    "unseen": "average, outside it",
    "others": "average, all others",
}


def model_card(handed: Handed, title: str, *, adapter: bool, licence: str | None = None) -> str:
    """Return a model's card in Markdown, with the fields that the Hub reads.

    Args:
        handed: the model.
        title: the heading.
        adapter: whether the adapter alone is handed over.
        licence: the base's, where it is known.
    """
    base = handed.base.name
    tags = (
        [line["language"] for line in handed.manifest["languages"] if line["examples"]]
        if handed.manifest
        else []
    )
    licence = licence or base_licence(handed)
    head = front_matter(
        {
            "license": hub_licence([licence]) if licence else None,
            "base_model": hub_name(handed),
            "base_model_relation": ("adapter" if adapter else "finetune") if hub_name(handed) else None,
            "language": sorted({tag.split("-")[0] for tag in tags}),
            "library_name": "peft" if adapter else "transformers",
            "pipeline_tag": "text-generation",
            "tags": ["polypinch", "multilingual", "instruction-tuning"],
        }
    )
    parts = [
        head,
        f"# {title}\n",
        f"`{base}`, tuned with polypinch on a mixture with a measured pinch of other languages"
        f"{'; this is the adapter alone' if adapter else ''}.\n",
        f"**Base licence:** {licence or 'not known here: see the base model'}."
        f"{' ' + GEMMA_TERMS if base == _BUILT_IN else ''} The licences of the rows are in the mixture's"
        " own card.\n",
        "## How to talk to it\n",
        "```python",
        *_loading(title, adapter),
        'asked = [{"role": "user", "content": "…"}]',
        "prompt = tokenizer.apply_chat_template(",
        '    asked, add_generation_prompt=True, return_tensors="pt", return_dict=True',
        ")",
        "answer = model.generate(**prompt, max_new_tokens=256)",
        'print(tokenizer.decode(answer[0][prompt["input_ids"].shape[1]:], skip_special_tokens=True))',
        "```",
        "",
        "The chat template and the token that ends a turn are in the folder.\n",
        "## What it was tuned on\n",
    ]
    if handed.manifest is None:
        parts.append("Not known here: the mixture's folder was not named.\n")
    else:
        sources = sorted(
            {source for line in handed.manifest["languages"] for source in line.get("sources", {})}
        )
        parts += [delivered_table(handed.manifest), f"Sources: {', '.join(sources) or 'not recorded'}.\n"]
    parts += ["## How\n", _how(handed), "## Evidence\n", *_evidence(handed), "## What this cannot show\n"]
    parts += [f"- {note}" for note in (*handed.notes, *_limits(handed))]
    return "\n".join([*parts, ""])


def _loading(title: str, adapter: bool) -> list[str]:
    if not adapter:
        return [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{title}")',
            f'model = AutoModelForCausalLM.from_pretrained("{title}")',
        ]
    return [
        "from peft import AutoPeftModelForCausalLM",
        "from transformers import AutoTokenizer, GenerationConfig",
        "",
        f'tokenizer = AutoTokenizer.from_pretrained("{title}")',
        f'model = AutoPeftModelForCausalLM.from_pretrained("{title}")',
        f'model.base_model.model.generation_config = GenerationConfig.from_pretrained("{title}")',
    ]


def hub_name(handed: Handed) -> str | None:
    """Return the base's name on the Hub; ``None`` of a folder here."""
    if handed.base.name == _BUILT_IN:
        return "google/gemma-3-270m"
    is_id = handed.base.revision is not None and _HUB_ID.fullmatch(handed.base.name)
    return handed.base.name if is_id else None


def base_licence(handed: Handed) -> str | None:
    """Return the licence that the base's own card names, or ``None``."""
    if handed.base.name == _BUILT_IN:
        return "gemma"
    card = Path(handed.base.path) / "README.md"
    if not card.is_file():
        return None
    text = card.read_text(encoding="utf-8", errors="replace")
    if not text.startswith("---"):
        return None
    try:
        head = parse_yaml(text.split("---", 2)[1], str(card))
    except PinchError:
        return None
    named = head.get("license") if isinstance(head, dict) else None
    return named if isinstance(named, str) else None


def _how(handed: Handed) -> str:
    said = {"seed": handed.seed, **handed.recipe}
    steps = handed.summary
    rows = [[name, value] for name, value in said.items() if value not in (None, "", [], ())]
    rows += [
        [name, steps[name]] for name in ("steps", "tokens", "supervised_tokens", "precision") if name in steps
    ]
    return table(["setting", "value"], rows)


def _evidence(handed: Handed) -> list[str]:
    found = handed.evidence
    if found is None:
        return ["None: it was measured in no study. `polypinch run` measures it, with intervals.\n"]
    against = (
        "the base model without tuning"
        if found.against == "untuned"
        else f"`{found.against}`, without a pinch"
    )
    trainings = "one training" if found.seeds == 1 else f"{found.seeds} trainings"
    rows = [_line(line) for line in found.lines]
    return [
        f"Held-out items, against {against}, over {trainings}; intervals of 95 % of the change.\n",
        table(["measure", "language", "before", "after", "change", "items"], rows),
    ]


def _line(line: Line) -> list[object]:
    measure = line.measure
    change = measure.signed(line.after - line.before)
    name = _AVERAGES.get(line.language) or language(line.language).name
    return [
        f"{measure.title} ({measure.unit})",
        name,
        measure.value(line.before),
        measure.value(line.after),
        f"{change} ({measure.signed(line.low)} to {measure.signed(line.high)})",
        line.n_items,
    ]


def _limits(handed: Handed) -> list[str]:
    told = ["Nothing here was tested for safety, facts or bias, in any language."]
    found = handed.evidence
    if found is None:
        return told
    if found.seeds == 1:
        told.append("One training: another seed would differ, and nobody knows by how much.")
    if found.against == "untuned":
        told.append(
            "Before is the base without any tuning: most of a change may be that of tuning at all, not"
            " of the pinch."
        )
    told.append(
        "Loss and fidelity say how well the model expects good answers, and whether it answers in the"
        " language asked for; not whether its answers are good."
    )
    told.append("Languages that are not in the table were not measured.")
    return told
