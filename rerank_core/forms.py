"""Turns a pydantic complaint about a file into one sentence that names place, value and fix.

Shared by everything that reads files (scenarios, passages, traces). It knows no file format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

MAX_SHOWN = 60
"""Characters of a wrong value that a message repeats: enough to find it, never a whole passage."""

EXTRA = {"unexpected_keyword_argument", "extra_forbidden"}
MISSING = {"missing", "missing_argument"}


def complaints(error: ValidationError, known: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """All complaints as (place, sentence).

    `place` reads like ``queries[2].expect`` (counted from 1, as people do), "" for the top level.
    `known` maps a place without its numbers ("queries.expect") to the keys allowed there; it feeds
    the "did you mean".
    """
    items = error.errors(include_url=False)
    # Unknown keys first: `titel` explains why `title` is missing.
    items.sort(key=lambda item: item["type"] not in EXTRA)
    found = []
    for item in items:
        loc = list(item["loc"])
        if any(
            len(other["loc"]) > len(loc) and list(other["loc"][: len(loc)]) == loc
            for other in items
        ):
            continue  # a list is also called too short where one of its items is wrong
        if item["type"] in EXTRA:
            key = str(loc.pop())
            found.append((place_of(loc), unknown_key(key, known.get(_bare(loc), ()))))
        elif item["type"] in MISSING:
            key = str(loc.pop())
            found.append((place_of(loc), f"`{key}` is missing; add it."))
        else:
            value = shown(item["input"])
            found.append((place_of(loc), f"{_decapital(item['msg'])}, found {value}."))
    return found


def place_of(loc: Sequence[int | str]) -> str:
    """A path of keys and indexes as people read it.

    >>> place_of(["queries", 1, "expect", "lift_at_3_min"])
    'queries[2].expect.lift_at_3_min'
    """
    text = ""
    for part in loc:
        text += (
            f"[{part + 1}]"
            if isinstance(part, int)
            else f".{_plain(part)}"
            if text
            else _plain(part)
        )
    return text


def shown(value: Any) -> str:
    """A value as a message repeats it: repr, cut at MAX_SHOWN characters."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def printable(name: str) -> str:
    """A name with what cannot be printed, line ends too, spelled out.

    >>> printable("two\\nlines"), printable("naïve")
    ('two\\\\nlines', 'naïve')
    """
    return name if name.isprintable() else repr(name)[1:-1]


def unknown_key(key: str, allowed: Sequence[str]) -> str:
    """The sentence for a key that is not one of `allowed`.

    >>> unknown_key("titel", ["id", "title"])
    'unknown key `titel`; did you mean `title`? Known here: id, title.'
    """
    key = _plain(key)
    near = get_close_matches(key, allowed, n=1)
    guess = f"did you mean `{near[0]}`?" if near else "remove it."
    return f"unknown key `{key}`; {guess} Known here: {', '.join(allowed) or 'nothing'}."


def _plain(key: str) -> str:
    """A key as a message repeats it: in one line, cut at MAX_SHOWN characters."""
    key = printable(key)
    key = key if len(key) <= MAX_SHOWN else key[: MAX_SHOWN - 3] + "..."
    return key if key.isprintable() else repr(key)[1:-1]


def _bare(loc: Sequence[int | str]) -> str:
    return ".".join(part for part in loc if isinstance(part, str))


def _decapital(message: str) -> str:
    return message[:1].lower() + message[1:]
