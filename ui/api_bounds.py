"""What a program may ask for in one call, held to its bounds: what comes may be of any type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rerank_core import limits
from rerank_core.errors import InputError
from rerank_core.inputs import clean_query


@dataclass(frozen=True)
class Evaluation:
    """One call's judged queries; `qrels` is query id -> doc_id -> grade, ids by position: q0001, p0001."""

    passages: list[str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    retrieve_k: int
    top_k: int
    relevant: int


def bounded(name: str, value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`, or InputError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} is a whole number from {low} to {high}, not {str(value)[:40]!r}.")
    return value


def texts(
    name: str,
    value: Any,
    most: int = limits.API_PASSAGES_MAX,
    chars: int = limits.PASSAGE_MAX_CHARS,
) -> list[str]:
    """A list of at most `most` strings of at most `chars` characters each, valid Unicode, or InputError."""
    if not isinstance(value, list) or not all(isinstance(t, str) for t in value):
        raise InputError(f"{name} is a list of strings.")
    if len(value) > most:
        raise InputError(f"{name} holds {len(value)} texts; at most {most} a call.")
    long = next((i for i, t in enumerate(value) if len(t) > chars), None)
    if long is not None:
        raise InputError(f"{name}[{long}] has {len(value[long])} characters; at most {chars} each.")
    for i, text in enumerate(value):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{name}[{i}] holds half of a surrogate pair at character {error.start + 1}, which is not valid "
                "Unicode; remove it."
            ) from error
    return value


def evaluation(
    queries: Any, passages: Any, grades: Any, retrieve_k: Any, top_k: Any, relevant: Any
) -> Evaluation:
    """A call's arguments as an Evaluation, or InputError with the place that is wrong."""
    given = texts("passages", passages)
    asked = texts("queries", queries, limits.API_QUERIES_MAX, limits.QUERY_MAX_CHARS)
    for name, found in (("queries", asked), ("passages", given)):
        if not found:
            raise InputError(f"{name} is empty; give at least one text.")
    for i, query in enumerate(asked):
        try:
            clean_query(query)
        except InputError as error:
            raise InputError(f"queries[{i}]: {error}") from None
    n = bounded("retrieve_k", retrieve_k, 1, limits.RETRIEVE_K_MAX)
    pairs = len(asked) * min(n, len(given))
    if pairs > limits.API_EVALUATE_PAIRS:
        raise InputError(
            f"{len(asked)} queries at N = {n} are {pairs:,} pairs; at most {limits.API_EVALUATE_PAIRS:,} a call, so "
            "lower retrieve_k or send fewer queries."
        )
    judged = _grades(grades, len(asked), len(given))
    return Evaluation(
        given,
        {f"q{i:04d}": query for i, query in enumerate(asked, 1)},
        {f"q{i:04d}": row for i, row in enumerate(judged, 1)},
        n,
        bounded("top_k", top_k, 1, n),
        bounded("relevant", relevant, 1, limits.GRADE_MAX),
    )


def _grades(grades: Any, queries: int, passages: int) -> list[dict[str, int]]:
    if not isinstance(grades, list) or len(grades) != queries:
        found = f"{len(grades)}" if isinstance(grades, list) else str(grades)[:40]
        raise InputError(f"grades is a list of {queries} lists, one a query, not {found!r}.")
    judged: list[dict[str, int]] = []
    for i, row in enumerate(grades):
        if not isinstance(row, list) or len(row) != passages:
            found = f"{len(row)}" if isinstance(row, list) else str(row)[:40]
            raise InputError(
                f"grades[{i}] is a list of {passages} grades, one a passage, not {found!r}."
            )
        judged.append(
            {
                f"p{j + 1:04d}": bounded(f"grades[{i}][{j}]", grade, 0, limits.GRADE_MAX)
                for j, grade in enumerate(row)
                if grade is not None
            }
        )
    return judged
