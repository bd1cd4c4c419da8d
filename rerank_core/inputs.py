"""The border: what a caller typed becomes strict once, here, and nowhere else.

Left out: anything that reads files. Every error gives the value found, the value allowed, and the fix.

>>> [p.doc_id for p in as_passages(["one", Passage("x", "two"), "three"])]
['p0001', 'x', 'p0003']
>>> clean_query("  python pet care ")
'python pet care'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rerank_core.errors import InputError
from rerank_core.limits import LIBRARY_RETRIEVE_K_MAX, PASSAGE_MAX_CHARS, QUERY_MAX_CHARS
from rerank_core.records import Passage


def clean_query(query: str) -> str:
    """The query without surrounding white space: 1 to QUERY_MAX_CHARS characters, or InputError."""
    if not isinstance(query, str):
        raise InputError(f"A query is a text, not {type(query).__name__}; give a string.")
    text = query.strip()
    if not text:
        raise InputError(
            f"The query has 0 characters, not 1 to {QUERY_MAX_CHARS}; type a word or a question."
        )
    if len(text) > QUERY_MAX_CHARS:
        raise InputError(
            f"The query has {len(text)} characters, not 1 to {QUERY_MAX_CHARS}; shorten it."
        )
    _check_text(text, "The query")
    return text


def as_passages(items: Iterable[str | Passage]) -> list[Passage]:
    """Strings and Passages -> Passages, in the same order; the i-th item, if a string, gets the id p000i.

    Equal texts keep separate ids, an empty text is allowed and scored as it is, an empty list gives an empty list.
    Raises InputError for an id given twice, a text over PASSAGE_MAX_CHARS, or an item of another kind.
    """
    if isinstance(items, str):
        raise InputError("Passages come as a list, not as one text; put the text into a list.")
    passages = [_passage(item, number) for number, item in enumerate(items, 1)]
    seen: set[str] = set()
    for passage in passages:
        if passage.doc_id in seen:
            raise InputError(
                f"The doc_id {passage.doc_id!r} appears twice; every passage needs its own."
            )
        seen.add(passage.doc_id)
    return passages


def check_retrieve_k(retrieve_k: int) -> int:
    """N, from 1 to LIBRARY_RETRIEVE_K_MAX, or InputError. More than there are passages means all of them."""
    if not _whole(retrieve_k) or not 1 <= retrieve_k <= LIBRARY_RETRIEVE_K_MAX:
        raise InputError(
            f"retrieve_k (N) is a whole number from 1 to {LIBRARY_RETRIEVE_K_MAX}, not {retrieve_k!r}."
        )
    return int(retrieve_k)


def check_top_k(top_k: int, retrieve_k: int | None = None) -> int:
    """K, at least 1 and, where N is given, at most N, or InputError."""
    if not _whole(top_k) or top_k < 1:
        raise InputError(f"top_k (K) is a whole number of at least 1, not {top_k!r}.")
    if retrieve_k is not None and top_k > retrieve_k:
        raise InputError(
            f"top_k (K) is {top_k} but only retrieve_k (N) = {retrieve_k} candidates are read; "
            "choose K no larger than N."
        )
    return int(top_k)


def _passage(item: Any, number: int) -> Passage:
    passage = Passage(f"p{number:04d}", item) if isinstance(item, str) else item
    if not isinstance(passage, Passage):
        raise InputError(
            f"Passage {number} is a {type(item).__name__}; give a string or a Passage."
        )
    if not isinstance(passage.text, str) or not isinstance(passage.doc_id, str):
        raise InputError(f"Passage {number} needs a doc_id and a text that are both strings.")
    if not passage.doc_id:
        raise InputError(f"Passage {number} has an empty doc_id; give it one.")
    if len(passage.text) > PASSAGE_MAX_CHARS:
        raise InputError(
            f"Passage {passage.doc_id!r} has {len(passage.text)} characters, not at most "
            f"{PASSAGE_MAX_CHARS}; split it."
        )
    _check_text(passage.text, f"Passage {passage.doc_id!r}")
    return passage


def _check_text(text: str, what: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{what} holds half of a surrogate pair at character {error.start + 1}, which is not "
            "valid Unicode; remove it."
        ) from error


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
