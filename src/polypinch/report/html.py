"""What every page shares: one self-contained HTML file with its styles, its script and its policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from polypinch.report.engine import refuse_small_address_space
from polypinch.report.export import Figure
from polypinch.report.theme import DARK, LIGHT, SANS, SERIF, chart_config


def render(template: str, **content: Any) -> str:
    """Return a page made from a template of this room and its content."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("polypinch.report", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        light=LIGHT,
        dark=DARK,
        sans=SANS,
        serif=SERIF,
        configs={"light": chart_config(LIGHT), "dark": chart_config(DARK)},
        css=_resource("page.css"),
        script=script,
        # Even a text that slipped through escaping could neither run nor fetch anything.
        policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        **content,
    )


def shown_figure(figure: Figure, heading: str) -> dict[str, Any]:
    """Return what a template needs to show a figure under a heading."""
    return {
        "file": figure.file,
        "model": figure.model,
        "spec": figure.spec,
        "image": image(figure.svg),
        "width": figure.size[0],
        "height": figure.size[1],
        "alt": f"{heading} {figure.spec['title']['text']}",
    }


def image(svg: str) -> str:
    """Return an SVG as a data address, without what an image can't use.

    That is descriptions of single marks, marks that only catch the pointer, and far decimals.
    """
    bare = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    bare = re.sub(r'<(?:path|line)(?=[^>]* opacity="0")[^>]*/>', "", bare)
    bare = bare.replace(f'font-family="{SANS}"', "").replace("<svg ", f'<svg font-family="{SANS}" ', 1)
    bare = re.sub(r' (?:d|transform|[xy]2?|width|height)="[^"]*"', _trimmed, bare)
    return "data:image/svg+xml;base64," + base64.b64encode(bare.encode()).decode()


def _trimmed(attribute: re.Match[str]) -> str:
    return re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])


def _resource(name: str) -> str:
    return files("polypinch.report").joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _script() -> str:
    """Return Vega and the page's own script as one text that can't end its ``script`` element early."""
    refuse_small_address_space()
    bundle = str(vl_convert.javascript_bundle(_resource("page.js"))).replace("\r\n", "\n")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
