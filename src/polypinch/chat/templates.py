"""Chat templates for base models that bring none.

Each is Jinja, as in a tokenizer's ``chat_template``; ``bos_token`` and ``eos_token`` are the tokenizer's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from polypinch.errors import PinchError

# The turn format in Gemma's model card: a system text opens the first user turn.
GEMMA = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] == 'system' %}{% set lead = messages[0]['content'] | trim + '\n\n' %}"
    "{% set messages = messages[1:] %}{% else %}{% set lead = '' %}{% endif %}"
    "{% for message in messages %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ lead if loop.first else '' }}{{ message['content'] | trim }}<end_of_turn>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)

# OpenAI's ChatML, which Qwen and others train their special tokens for.
CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] | trim }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

# The header format in Llama 3's model card.
LLAMA3 = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)

# For any other base model: plain words, one reserved token (the end of text) after each answer.
PLAIN = (
    "{{ bos_token or '' }}"
    "{% for message in messages %}"
    "{{ {'system': 'System', 'user': 'User', 'assistant': 'Assistant'}[message['role']] }}:\n"
    "{{ message['content'] | trim }}{{ eos_token if message['role'] == 'assistant' else '' }}\n\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)

BUILT_IN = {"gemma": GEMMA, "chatml": CHATML, "llama3": LLAMA3, "plain": PLAIN}
_TURN_TOKENS = {
    "gemma": ("<start_of_turn>", "<end_of_turn>"),
    "chatml": ("<|im_start|>", "<|im_end|>"),
    "llama3": ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
}


_CONTENT = re.compile(
    r"\{\{ message\['content'\] \| trim \}\}(?:<\S+?>|\{\{ eos_token if [^}]* \}\})(?P<lines>\n*)"
)


def marked(template: str) -> str | None:
    """Return a template with ``{% generation %}`` around what is learnt, as TRL and transformers read it.

    Returns:
        One that has the marks as it is, and the built-in ones with them; ``None`` for others, whose answers
        cannot be found in their text.
    """
    if re.search(r"\{%-?\s*generation", template):
        return template
    if template not in BUILT_IN.values():
        return None

    def mark(match: re.Match[str]) -> str:
        content = match[0].rstrip("\n")
        # A line break right after a block is taken away, so it is written as a text.
        breaks = "".join("{{ '\\n' }}" for _ in match["lines"])
        answer = f"{{% generation %}}{content}{{% endgeneration %}}"
        return f"{{% if message['role'] == 'assistant' %}}{answer}{{% else %}}{content}{{% endif %}}{breaks}"

    return _CONTENT.sub(mark, template)


def choose(tokenizer: Any) -> tuple[str, str]:
    """Return a template's name and text for a tokenizer.

    Its own where it has one; else the family's turn format if its vocabulary holds those tokens;
    else plain words.

    Raises:
        PinchError: it has several of its own, and none is its default.
    """
    own = tokenizer.chat_template
    if isinstance(own, str):
        return "own", own
    if own and "default" not in own:
        raise PinchError(
            f"the model brings several chat templates, {', '.join(own)}, and none is the default",
            fix="chat_template: with the name of one",
        )
    if own:
        return "own", str(own["default"])
    vocabulary = tokenizer.get_vocab()
    for name, tokens in _TURN_TOKENS.items():
        if all(token in vocabulary for token in tokens):
            return name, BUILT_IN[name]
    return "plain", PLAIN


def named(tokenizer: Any, name: str) -> tuple[str, str]:
    """Return the name and text of a template that somebody names: built in, of several own ones, or a file.

    Raises:
        PinchError: there is no such template.
    """
    if name in BUILT_IN:
        return name, BUILT_IN[name]
    own = tokenizer.chat_template if isinstance(tokenizer.chat_template, dict) else {}
    if name in own:
        return name, str(own[name])
    path = Path(name)
    if not path.is_file():
        known = ", ".join([*BUILT_IN, *own])
        raise PinchError(f"no chat template {name!r}", fix=f"name one of {known}, or a Jinja file")
    # Some editors begin a file with a mark of its encoding.
    try:
        return "file", path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PinchError(f"{path} is not UTF-8 text", fix="save it as UTF-8") from error
