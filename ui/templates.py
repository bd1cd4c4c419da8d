"""Templates and prose -> escaped HTML: the only door through which text becomes markup.

Jinja2 with autoescape on for the templates of assets/templates, CommonMark without raw HTML for the prose of text/.
What is left out: what any of them says.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

ASSETS = Path(__file__).parent / "assets"
TEXT = Path(__file__).parent / "text"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ASSETS / "templates"),
        autoescape=True,
        auto_reload=False,  # else every rendering asks the disk whether a template has changed
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: Any) -> str:
    """One template of assets/templates, filled; every value is escaped unless it is Markup."""
    return _environment().get_template(template + ".html").render(**values)


@cache
def _markdown() -> MarkdownIt:
    # html=False: raw HTML in a text file is shown as text, so that no file can put markup on the page.
    return MarkdownIt("commonmark", {"html": False})


def prose(markdown: str) -> Markup:
    """Markdown -> HTML without raw HTML and without images or links that run (markdown-it validates links)."""
    return Markup(_markdown().render(markdown))


def text_file(name: str) -> str:
    """A file of ui/text, stripped."""
    return (TEXT / f"{name}.md").read_text(encoding="utf-8").strip()
