"""A visitor's choice of models: a bi-encoder, a cross-encoder, and perhaps a second one to compare with.

It lives in the visitor's own page, as text, and is read strictly each time it comes back. A link carries it too, but
names of the list only.

>>> Choice(cross_encoder="cross-encoder/ms-marco-MiniLM-L6-v2").text
'embedded,cross-encoder/ms-marco-MiniLM-L6-v2'
>>> Choice().text, read_choice("embedded") == Choice()
('embedded', True)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rerank_core.errors import InputError
from rerank_core.limits import MODEL_NAME_CHARS
from rerank_core.models import (
    BI_ENCODER,
    CROSS_ENCODER,
    EMBEDDED_BI_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    KNOWN,
    find_known,
)

EMBEDDED = "embedded"
"""Stands for the embedded model of its kind, and alone for both."""


@dataclass(frozen=True)
class Choice:
    """Names of models; `second` is "" where only one cross-encoder reads."""

    bi_encoder: str = EMBEDDED_BI_ENCODER
    cross_encoder: str = EMBEDDED_CROSS_ENCODER
    second: str = ""

    @property
    def text(self) -> str:
        """The choice as one text, without spaces; `read_choice` reads it back."""
        return _text(self.names)

    @property
    def link(self) -> str:
        """What a link says of it: a model off the list is left to the embedded one, a second one is left out."""
        kept = [name if name in KNOWN else EMBEDDED for name in self.names[:2]]
        return _text((*kept, self.second) if self.second in KNOWN else tuple(kept))

    @property
    def names(self) -> tuple[str, ...]:
        """Bi-encoder, cross-encoder, and the second where there is one."""
        return (self.bi_encoder, self.cross_encoder, *filter(None, (self.second,)))

    @property
    def pair(self) -> Choice:
        """The same without the second cross-encoder: what a prediction is about."""
        return Choice(self.bi_encoder, self.cross_encoder)

    @property
    def embedded(self) -> bool:
        """Whether both models of the pair are the embedded ones."""
        return self.pair == Choice()

    def off_list(self) -> Iterator[str]:
        """The names that are not on the list."""
        return (name for name in self.names if name not in KNOWN)


def read_choice(text: Any, *, any_name: bool = False) -> Choice:
    """The choice that `text` wrote. InputError for a name that is not permitted, or of the wrong kind."""
    if not isinstance(text, str) or len(text) > 3 * (MODEL_NAME_CHARS + 1):
        raise InputError("The choice of models cannot be read; choose them again under Models.")
    bi, cross, second, *rest = (*text.split(","), "", "", "")
    if any(rest):
        raise InputError(f"{len(text.split(','))} models are named, and at most 3 are chosen.")
    return checked_choice(bi or EMBEDDED, cross or EMBEDDED, second, any_name=any_name)


def checked_choice(bi: Any, cross: Any, second: Any, *, any_name: bool = False) -> Choice:
    """Names as a person or a program gave them, "embedded" and nothing for the embedded ones, as a Choice.

    Raises InputError with what can be chosen.
    """
    chosen = Choice(
        _name(bi or EMBEDDED, BI_ENCODER, any_name),
        _name(cross or EMBEDDED, CROSS_ENCODER, any_name),
        _name(second, CROSS_ENCODER, any_name) if second else "",
    )
    if chosen.second == chosen.cross_encoder:
        raise InputError(
            f"Both cross-encoders are {chosen.second}; choose another one to compare with, or none."
        )
    return chosen


def _name(value: Any, kind: str, any_name: bool) -> str:
    if not isinstance(value, str):
        raise InputError(f"A {kind} is chosen by name, not by {str(value)[:40]!r}.")
    name = value.strip()
    if name == EMBEDDED:
        return EMBEDDED_BI_ENCODER if kind == BI_ENCODER else EMBEDDED_CROSS_ENCODER
    if len(name) > MODEL_NAME_CHARS or not name.isprintable() or "," in name:
        raise InputError(
            f"A model's name has 1 to {MODEL_NAME_CHARS} characters that can be printed and no comma, "
            f"not {name[:40]!r}."
        )
    return find_known(name, kind, allow_any=any_name).name


def _text(names: tuple[str, ...]) -> str:
    short = [
        EMBEDDED if name in (EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER) else name
        for name in names
    ]
    return EMBEDDED if set(short) == {EMBEDDED} and len(short) < 3 else ",".join(short)
