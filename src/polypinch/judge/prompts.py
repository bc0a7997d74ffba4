"""What a judge is shown: answers set between marks that they cannot forge.

An answer may say anything: that it has won, that its part is over, that the judge shall obey. Each untrusted
text therefore stands between marks with a code that is drawn for this call alone and occurs in none of the
texts; and what a chat template would read as the end of a turn is broken up.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from polypinch.errors import PinchError
from polypinch.languages import language

# Control tokens of the chat formats that models have; a server's tokenizer reads them in a text as in a
# template. What a tag of a web page could be called (<image>, <video>) is among them.
_NAMES = (
    r"/?(?:s|bos|eos|pad|unk|mask|cls|sep|sop|eop|eod|eom|eot|end|image|video|audio|img|imgpad|box|ref|quad|role"
    r"|_?(?:system|user|assistant|human|bot|end)|tool|think|thinking|thought|reasoning|answer|scratchpad|escape"
    r"|turn\||\|turn|im_(?:start|end|sep)|(?:start|end)_of_\w+|(?:start|end)_function_\w+"
    r"|(?:start|end)_\w+_(?:declaration|call|response)|tools?_?(?:call|calls|response|result|results|sep)?"
    r"|function(?:_calls?|=[^<>\s]*)?|parameter(?:=[^<>\s]*)?|available_tools|arg_(?:key|value)|invoke"
    r"|tool_declare|extra_id_\d+|unused_?\d+|(?:SPECIAL|reserved|special)_\d+|0x[0-9A-Fa-f]{2}|fim_\w+"
    r"|jupyter_\w+|gh_stars|filename|repo_?name|file_sep|commit_\w+|issue_\w+|empty_output|code_to_\w+"
    r"|fake_token_around_image|global-img|row_\d+_col_\d+|\w+:(?:think|bos|eos|tool_call|cot_budget_reflect)"
    r"|(?:longcat|mask|audio|image|video|vision)_\w+)"
)
_BRACKETED = (
    r"/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|CALL_ID|IMG"
    r"|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|THINK|MODEL_SETTINGS|PREFIX|MIDDLE|SUFFIX|[gs]?MASK|CLS|SEP|PAD|UNK"
    r"|BOS|EOS|control_\d+)"
)
_CONTROL = re.compile(
    r"<(?=[|｜][^<>\n]{1,60}>|[^<>\n]{1,60}[|｜]>|[^<>\s|｜]{1,20}▁[^<>\s]{1,40}>)"
    rf"|<(?={_NAMES}>)"
    rf"|\[(?={_BRACKETED}\]|\|[^\[\]\n]{{1,60}}\|\])"
    r"|<(?=<SYS>>|</SYS>>)"
    r"|\](?=~[!b]?b?[\[\]])|\[(?=e~\[)"
)
_KNOWN = {"prompt", "first", "second", "answer", "reference", "language", "token", "labels"}
_LONGEST = 100_000  # characters of a template
# No prompt needs them, and they could run or grow without an end: a judge's folder may be a stranger's.
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "a call",
    nodes.CallBlock: "a call",
    nodes.Macro: "a macro",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.FilterBlock: "a filter block",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Mul: "*",
    nodes.Pow: "**",
    nodes.Mod: "%",
}
_FILTERS = frozenset((
    "capitalize", "d", "default", "first", "int", "join", "last", "length", "lower", "string", "title",
    "tojson", "trim", "truncate", "upper", "wordcount",
))  # fmt: skip
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)


def check_template(text: str, shows: Collection[str], where: str) -> None:
    """Refuse a prompt that is no Jinja, shows too little, or sets no code between what it shows.

    Args:
        text: Jinja.
        shows: names that it must show.
        where: names it in errors.

    Raises:
        PinchError: with the name that is missing or unknown.
    """
    if len(text) > _LONGEST:
        raise PinchError(f"{where}: the prompt has {len(text):,} characters", fix=f"at most {_LONGEST:,}")
    try:
        parsed = _ENVIRONMENT.parse(text)
        _refuse_endless(parsed, where)  # first: what follows works out constants
        used = meta.find_undeclared_variables(parsed)
    except (TemplateError, RecursionError) as error:
        raise PinchError(f"{where}: not a Jinja template: {error}") from error
    lacking = sorted({*shows, "token"} - used)
    if lacking:
        raise PinchError(
            f"{where}: the prompt must show {', '.join(lacking)}",
            fix="set each answer between lines that carry {{ token }}",
        )
    unknown = sorted(used - _KNOWN)
    if unknown:
        raise PinchError(
            f"{where}: unknown {', '.join(unknown)}", fix=f"there are {', '.join(sorted(_KNOWN))}"
        )


def _holds_loop(loop: nodes.For) -> bool:
    return any(isinstance(part, nodes.For) or part.find(nodes.For) is not None for part in loop.body)


def _refuse_endless(template: nodes.Template, where: str) -> None:
    """Refuse what makes a prompt longer than its texts and itself, or its making longer than a moment.

    What is left (texts, conditions, a few filters, loops over a list that the template writes out) takes time
    by the length of the texts.
    """
    for node in template.find_all(nodes.Node):
        what = _REFUSED.get(type(node))
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            what = f"the filter {node.name}"
        if isinstance(node, nodes.For) and (
            node.recursive or not isinstance(node.iter, nodes.List | nodes.Tuple) or _holds_loop(node)
        ):
            what = "a loop over what it does not write out itself, or in another loop"
        if what is not None:
            raise PinchError(
                f"{where}: line {node.lineno}: a judge's prompt may not hold {what}",
                fix=f"show texts as they are, with if and the filters {', '.join(sorted(_FILTERS))}",
            )


@lru_cache(maxsize=64)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def harmless(text: str, special: Sequence[str] = ()) -> str:
    """Return a text in which no control token of a chat format stands whole.

    Args:
        text: anything.
        special: further tokens, the model's own; a space is set after the first character of each.
    """
    broken = _CONTROL.sub(lambda found: found[0] + " ", text)
    for token in special:
        if len(token) > 1:
            broken = broken.replace(token, f"{token[0]} {token[1:]}")
    return broken


def code(texts: Sequence[str]) -> str:
    """Draw the code of one call's marks, 16 hex digits that stand in none of the texts."""
    while True:
        drawn = secrets.token_hex(8)
        if not any(drawn in text for text in texts):
            return drawn


def render(template: str, tag: str, labels: Any, special: Sequence[str] = (), **shown: str | None) -> str:
    """Set one call's texts into a prompt.

    Args:
        template: Jinja; see :func:`check_template`.
        tag: the item's language.
        labels: with ``first``, ``second`` and ``tie``.
        special: the model's own control tokens, where they are known.
        shown: ``prompt``, ``reference``, and ``first`` and ``second``, or ``answer``; untrusted.
    """
    safe = {name: None if text is None else harmless(text, special) for name, text in shown.items()}
    token = code([text for text in safe.values() if text])
    return _compiled(template).render(**safe, token=token, language=language(tag).name, labels=labels)
