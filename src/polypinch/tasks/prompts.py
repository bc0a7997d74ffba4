"""How tasks are put to a model, in the language of the item.

All wordings are this project's own and were not checked by native speakers. A language without one gets the
neutral form, which adds no word of any language; a user's own wording goes before both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from polypinch.errors import PinchError

Own = Mapping[str, str | Mapping[str, str]]

_NUMBER = {
    "ar": "أعطِ الجواب على شكل رقم.",
    "bn": "উত্তরটি সংখ্যায় দিন।",
    "cs": "Odpověz číslem.",
    "de": "Gib die Antwort als Zahl an.",
    "en": "Give the answer as a number.",
    "es": "Da la respuesta como un número.",
    "et": "Anna vastus arvuna.",
    "fi": "Anna vastaus lukuna.",
    "fr": "Donne la réponse sous forme de nombre.",
    "he": "תן את התשובה כמספר.",
    "hi": "उत्तर संख्या में दें।",
    "it": "Dai la risposta come numero.",
    "ja": "数字で答えてください。",
    "ru": "Дай ответ числом.",
    "sw": "Toa jibu kwa nambari.",
    "te": "సమాధానాన్ని సంఖ్యలో ఇవ్వండి.",
    "th": "ตอบเป็นตัวเลข",
    "zh": "请用数字回答。",
}
_SPAN = {
    "ar": "أجب بكلمات من النص.",
    "cs": "Odpověz slovy z textu.",
    "de": "Antworte mit Wörtern aus dem Text.",
    "el": "Απάντησε με λέξεις από το κείμενο.",
    "en": "Answer with words from the text.",
    "es": "Responde con palabras del texto.",
    "et": "Vasta teksti sõnadega.",
    "fi": "Vastaa tekstin sanoilla.",
    "he": "ענה במילים מתוך הטקסט.",
    "hi": "पाठ के शब्दों में उत्तर दें।",
    "it": "Rispondi con parole del testo.",
    "ro": "Răspunde cu cuvinte din text.",
    "ru": "Ответь словами из текста.",
    "sw": "Jibu kwa maneno kutoka kwenye maandishi.",
    "th": "ตอบด้วยคำจากข้อความ",
    "tr": "Metindeki kelimelerle cevap ver.",
    "vi": "Hãy trả lời bằng từ ngữ trong đoạn văn.",
    "zh": "请用原文中的词语回答。",
}
_CAUSE_EFFECT = {
    "ar": ("ما السبب؟", "ماذا حدث نتيجة لذلك؟"),
    "cs": ("Co bylo příčinou?", "Co se stalo v důsledku toho?"),
    "en": ("What was the cause?", "What happened as a result?"),
    "es": ("¿Cuál fue la causa?", "¿Qué pasó como resultado?"),
    "et": ("Mis oli selle põhjus?", "Mis selle tagajärjel juhtus?"),
    "fi": ("Mikä oli syynä?", "Mitä siitä seurasi?"),
    "he": ("מה הייתה הסיבה?", "מה קרה כתוצאה מכך?"),
    "hi": ("इसका कारण क्या था?", "इसका परिणाम क्या हुआ?"),
    "id": ("Apa penyebabnya?", "Apa akibatnya?"),
    "it": ("Qual è stata la causa?", "Che cosa è successo di conseguenza?"),
    "ru": ("Что было причиной?", "Что произошло в результате?"),
    "sw": ("Sababu yake ilikuwa nini?", "Matokeo yake yalikuwa nini?"),
    "ta": ("இதற்குக் காரணம் என்ன?", "இதன் விளைவு என்ன?"),
    "th": ("สาเหตุคืออะไร", "ผลที่ตามมาคืออะไร"),
    "tr": ("Bunun nedeni neydi?", "Bunun sonucunda ne oldu?"),
    "vi": ("Nguyên nhân là gì?", "Kết quả là gì?"),
    "zh": ("这是什么原因造成的？", "结果发生了什么？"),
}
_NEEDS = {"mgsm": ("question",), "xquad": ("context", "question"), "xcopa": ("premise",)}
_NEUTRAL = {
    ("mgsm", ""): "{question}",
    ("xquad", ""): "{context}\n\n{question}",
    ("xcopa", "cause"): "? → {premise}",
    ("xcopa", "effect"): "{premise} → ?",
}


def template(layout: str, tag: str, kind: str, own: Own) -> tuple[str, str]:
    """Return the text that an item's fields are put into, and where it is from: own, built-in or neutral.

    Args:
        layout: ``mgsm``, ``xcopa`` or ``xquad``.
        tag: the item's language.
        kind: ``cause`` or ``effect`` for xcopa, else empty.
        own: the user's wordings, by tag or ``default``.

    Raises:
        PinchError: a wording of the user's lacks a field.
    """
    given = own.get(tag, own.get("default"))
    if given is not None:
        text = given if isinstance(given, str) else given.get(kind, "")
        lacks = [name for name in _NEEDS[layout] if f"{{{name}}}" not in text]
        if lacks or (kind and isinstance(given, str)):
            needed = " and ".join(f"{{{name}}}" for name in _NEEDS[layout])
            form = f"cause: and effect:, each with {needed}" if kind else f"a text with {needed}"
            raise PinchError(
                f"prompts: the wording for {tag if tag in own else 'default'} lacks what {layout} needs",
                fix=f"give {form}",
            )
        return text, "own"
    neutral = _NEUTRAL[layout, kind]
    if layout == "xcopa":
        words = _CAUSE_EFFECT.get(tag)
        ask = None if words is None else words[kind == "effect"]
        return (neutral, "neutral") if ask is None else (f"{{premise}}\n\n{ask}", "built-in")
    ask = (_NUMBER if layout == "mgsm" else _SPAN).get(tag)
    return (neutral, "neutral") if ask is None else (f"{neutral}\n\n{ask}", "built-in")


def fill(text: str, fields: Mapping[str, str]) -> str:
    """Put an item's fields into a template; other braces stay what they are."""
    return re.sub(r"\{(\w+)\}", lambda found: fields.get(found[1], found[0]), text)
