"""What a visitor marked, to and from the browser, which keeps it: query -> doc_id -> grade 0 to 3, as JSON.

What a browser hands back is a stranger's: what is not a well-formed mark is dropped without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rerank_core import limits

Marks = dict[str, dict[str, int]]
MARKS_CHARS = 200_000
"""Characters of all marks as JSON: twenty queries with four hundred marks each."""


def marks_from(raw: Any) -> Marks:
    """Marks from JSON text; queries without any are left out."""
    if not isinstance(raw, str) or len(raw) > MARKS_CHARS:
        return {}
    try:
        data = json.loads(raw or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    read = {query.strip(): _grades(grades) for query, grades in data.items()}
    return {
        query: grades
        for query, grades in read.items()
        if grades and 0 < len(query) <= limits.QUERY_MAX_CHARS
    }


def marks_to(marks: Mapping[str, Mapping[str, int]]) -> str:
    """Marks as JSON text."""
    return json.dumps({query: dict(grades) for query, grades in marks.items() if grades})


def _grades(raw: Any) -> dict[str, int]:
    if not isinstance(raw, dict):
        return {}
    return {doc_id: grade for doc_id, grade in raw.items() if _is_grade(grade)}


def _is_grade(grade: Any) -> bool:
    return isinstance(grade, int) and not isinstance(grade, bool) and 0 <= grade <= 3
