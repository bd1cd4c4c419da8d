"""Judged queries: a text to search with and the grades of passages, whatever file or form they came in.

Left out: reading files (beir.py, lists_file.py). The scale is the judgements' own: from which grade on a passage is
relevant is said beside them, and the gain of a grade is 2^grade - 1 as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rerank_core.errors import InputError
from rerank_core.limits import GRADE_MAX, QUERY_MAX_CHARS

RELEVANT_FROM = 1
"""The lowest grade that counts as relevant where nothing else is said: BEIR's judgements are 0 and 1, or 0, 1 and 2
with 1 for a passage that answers in part."""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """`relevance` is doc_id -> grade from 0 to GRADE_MAX; what is not listed is unjudged and counts as 0.

    `cut` is true where the text was longer than QUERY_MAX_CHARS and was cut there.
    """

    query_id: str
    text: str
    relevance: Mapping[str, int]
    cut: bool = False

    @classmethod
    def of(cls, query_id: str, text: str, relevance: Mapping[str, int]) -> JudgedQuery:
        """The query with its text as searched with: no spaces around it, at most QUERY_MAX_CHARS characters."""
        text = text.strip()
        return cls(query_id, text[:QUERY_MAX_CHARS].strip(), relevance, len(text) > QUERY_MAX_CHARS)


def check_relevant(relevant: int) -> int:
    """From which grade on a passage is relevant, 1 to GRADE_MAX, or InputError."""
    if not 1 <= relevant <= GRADE_MAX:
        raise InputError(
            f"The lowest relevant grade is a whole number from 1 to {GRADE_MAX}, not {relevant!r}."
        )
    return relevant


def check_grades(query_id: str, grades: Mapping[str, int]) -> Mapping[str, int]:
    """Grades as they came, each a whole number from 0 to GRADE_MAX, or InputError."""
    for doc_id, grade in grades.items():
        if not isinstance(grade, int) or isinstance(grade, bool) or not 0 <= grade <= GRADE_MAX:
            raise InputError(
                f"Query {query_id!r} has grade {grade!r} for passage {doc_id!r}; a grade is a whole number from 0 to "
                f"{GRADE_MAX}."
            )
    return dict(grades)
