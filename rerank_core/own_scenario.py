"""A scenario out of what a visitor made: passages, queries, marks and a few words of their own.

Its id is made from the title; `with_ids_of_its_own` lets the folder stand beside others. Left out: whether the lesson
holds (holds.py), and files (scenario_zip.py).

>>> slug("  Où est l'été?  "), slug("猫")
('ou-est-l-ete', 'own')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rerank_core.errors import InputError
from rerank_core.forms import complaints
from rerank_core.limits import OWN_QUERIES, OWN_TITLE_CHARS, OWN_WORDS_CHARS
from rerank_core.records import Passage
from rerank_core.scenarios import KNOWN, Expect, Query, Scenario

GIVEN_ID = re.compile(r"p\d{4}(\.\d+)*")
"""Ids that were made here, by position: in a library they would be everybody's."""
PREDICT = "What will the cross-encoder do with these rows?"


@dataclass(frozen=True)
class OwnQuery:
    """A query, its marks (doc_id -> grade 0 to 3), what must hold, and the rest as in scenarios.Query."""

    text: str
    relevance: Mapping[str, int] = field(default_factory=dict)
    expect: Expect = field(default_factory=Expect)
    predict: str = PREDICT
    slice: str | None = None
    chosen: str | None = None


@dataclass(frozen=True)
class OwnWords:
    """What a person says of a scenario."""

    title: str
    slice: str
    lesson: str
    author_note: str


def slug(title: str) -> str:
    """A title as an id: a-z, 0-9 and single hyphens, at most 40 characters; "own" where nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "own"


def own_scenario(
    words: OwnWords, queries: Sequence[OwnQuery], passages: Sequence[Passage]
) -> Scenario:
    """The scenario, passages with the ids that they have. Raises InputError in one sentence."""
    said = {
        "title": _words("The title", words.title, OWN_TITLE_CHARS),
        "slice": _words("The slice", words.slice, OWN_TITLE_CHARS),
        "lesson": _words("The lesson", words.lesson, OWN_WORDS_CHARS),
        "author_note": _words("The note on how it was made", words.author_note, OWN_WORDS_CHARS),
    }
    if not queries:
        raise InputError(
            f"A scenario holds 1 to {OWN_QUERIES} queries, and none has marks; mark a passage of one."
        )
    if len(queries) > OWN_QUERIES:
        raise InputError(
            f"A scenario holds 1 to {OWN_QUERIES} queries, and {len(queries)} have marks; take the marks off some."
        )
    name = slug(words.title)
    try:
        data: dict[str, Any] = {
            **said,
            "id": name,
            "queries": tuple(
                Query(
                    id=f"{name}-{i}", text=query.text, slice=query.slice or said["slice"],
                    predict=query.predict, chosen=query.chosen, relevance=dict(query.relevance), expect=query.expect,
                )
                for i, query in enumerate(queries, 1)
            ),
            "passages": tuple(passages),
        }  # fmt: skip
        return TypeAdapter(Scenario).validate_python(data)
    except ValidationError as error:
        place, message = complaints(error, KNOWN)[0]
        raise InputError(f"{place}: {message}") from error


def with_ids_of_its_own(scenario: Scenario) -> Scenario:
    """The same with its id in front of every doc_id that was given by position: two such folders share none."""
    to = {
        p.doc_id: f"{scenario.id}-{p.doc_id}" if GIVEN_ID.fullmatch(p.doc_id) else p.doc_id
        for p in scenario.passages
    }
    return replace(
        scenario,
        passages=tuple(replace(p, doc_id=to[p.doc_id]) for p in scenario.passages),
        queries=tuple(
            replace(
                query,
                relevance={to.get(d, d): grade for d, grade in query.relevance.items()},
                expect=_renamed(query.expect, to),
            )
            for query in scenario.queries
        ),
    )


def _renamed(expect: Expect, to: Mapping[str, str]) -> Expect:
    values = {f.name: getattr(expect, f.name) for f in fields(expect)}
    for key in ("first_before", "first_after"):
        values[key] = tuple(to.get(doc_id, doc_id) for doc_id in values[key])
    return Expect(**{key: value for key, value in values.items() if value != ()})


def _words(what: str, text: str, most: int) -> str:
    text = text.strip()
    if not text:
        raise InputError(f"{what} has 0 characters, not 1 to {most:,}; write a few words.")
    if len(text) > most:
        raise InputError(f"{what} has {len(text):,} characters, not 1 to {most:,}; shorten it.")
    return text
