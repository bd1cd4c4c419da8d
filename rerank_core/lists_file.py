"""A first stage that ran elsewhere, as JSON lines: a query, its passages in the order found, and their grades.

    {"query": "python pet care", "passages": ["...", "..."], "grades": [3, null]}

One query a line. A passage is a text, or an object with `text` and optionally `doc_id` and `title`; a grade is a
whole number from 0 to GRADE_MAX, or null where nobody judged. `query_id` is optional (q0001, q0002, ... by position).
Passages are read again from the file when they are asked for, so that its length does not matter.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rerank_core.errors import FileError
from rerank_core.forms import shown, unknown_key
from rerank_core.judged import JudgedQuery
from rerank_core.limits import GRADE_MAX, PASSAGE_MAX_CHARS
from rerank_core.lines import FileLines, changed, check_id, line_at, text_of
from rerank_core.passage_rows import at, json_object
from rerank_core.records import Passage

KEYS = ("query", "passages", "grades", "query_id")
PASSAGE_KEYS = ("text", "doc_id", "title")
LIKE = '{"query": "...", "passages": ["..."], "grades": [1]}'


class ListsFile:
    """`queries` in the file's order; `passages_of` reads one's passages; `sha256` is the file's, `texts_sha256` of all
    that is not a grade.

    `cut` counts the passages longer than PASSAGE_MAX_CHARS, which are cut there.
    """

    def __init__(self, path: Path | str) -> None:
        """Read the file once. Raises FileError naming file, line and fix."""
        self.path, self.cut = Path(path), 0
        queries: list[JudgedQuery] = []
        self._place: dict[str, int] = {}
        self._starts, numbers = array("q"), array("q")
        lines, texts = FileLines(self.path), hashlib.sha256()
        for number, start, content in lines:
            query, passages, cut = _read(self.path, number, content, len(queries) + 1)
            if query.query_id in self._place:
                raise at(
                    self.path, number, f"`query_id` {shown(query.query_id)} is already that of line "
                    f"{numbers[self._place[query.query_id]]}; every query needs its own."
                )  # fmt: skip
            self._place[query.query_id] = len(queries)
            self._starts.append(start)
            numbers.append(number)
            queries.append(query)
            self.cut += cut
            for part in (
                query.query_id,
                query.text,
                *(x for p in passages for x in (p.doc_id, p.text)),
            ):
                texts.update(part.encode() + b"\0")
        if not queries:
            raise FileError(f"{self.path} holds no query; put {LIKE} into it, one a line.")
        self.queries, self.sha256 = tuple(queries), lines.sha256
        self.texts_sha256 = texts.hexdigest()

    def passages_of(self, query: JudgedQuery) -> Sequence[Passage]:
        """A query's passages in the order given. FileError where the file was changed meanwhile."""
        place = self._place[query.query_id]
        content = line_at(self.path, self._starts[place])
        try:
            found, passages, _ = _read(self.path, 0, content, place + 1)
        except FileError as error:
            raise changed(self.path) from error
        if found != query:
            raise changed(self.path)
        return passages


def _read(
    path: Path, line: int, content: str, position: int
) -> tuple[JudgedQuery, list[Passage], int]:
    row = json_object(path, line, content, LIKE)
    for key in row:
        if key not in KEYS:
            raise at(path, line, unknown_key(key, KEYS))
    text = text_of(path, line, row, "query")
    if not text.strip():
        raise at(path, line, "`query` is empty; write one or remove the line.")
    query_id = check_id(
        path, line, "`query_id`", text_of(path, line, row, "query_id", f"q{position:04d}")
    )
    passages, cut = _passages(path, line, row.get("passages"))
    grades = row.get("grades")
    if not isinstance(grades, list) or len(grades) != len(passages):
        found = f"{len(grades)}" if isinstance(grades, list) else shown(grades)
        raise at(
            path, line, f"`grades` is to be a list of {len(passages)}, one a passage, not {found}."
        )
    relevance = {
        passage.doc_id: _grade(path, line, grade)
        for passage, grade in zip(passages, grades, strict=True)
        if grade is not None
    }
    return JudgedQuery.of(query_id, text, relevance), passages, cut


def _passages(path: Path, line: int, items: Any) -> tuple[list[Passage], int]:
    if not isinstance(items, list) or not items:
        raise at(path, line, f"`passages` is {shown(items)}; it must be a list of at least one.")
    passages: list[Passage] = []
    seen: set[str] = set()
    cut = 0
    for position, item in enumerate(items, 1):
        row = {"text": item} if isinstance(item, str) else item
        if not isinstance(row, dict):
            raise at(path, line, f"passage {position} is {shown(item)}; give a text in quotes.")
        for key in row:
            if key not in PASSAGE_KEYS:
                raise at(path, line, f"passage {position}: {unknown_key(key, PASSAGE_KEYS)}")
        title, text = text_of(path, line, row, "title", ""), text_of(path, line, row, "text")
        doc_id = text_of(path, line, row, "doc_id", f"p{position:04d}")
        check_id(path, line, "`doc_id`", doc_id)
        if doc_id in seen:
            raise at(
                path, line, f"`doc_id` {shown(doc_id)} is there twice; every passage needs its own."
            )
        seen.add(doc_id)
        whole = f"{title.strip()} {text.strip()}".strip()
        cut += len(whole) > PASSAGE_MAX_CHARS
        passages.append(Passage(doc_id, whole[:PASSAGE_MAX_CHARS].strip()))
    return passages, cut


def _grade(path: Path, line: int, grade: Any) -> int:
    if not isinstance(grade, int) or isinstance(grade, bool) or not 0 <= grade <= GRADE_MAX:
        raise at(
            path,
            line,
            f"grade {shown(grade)} is not a whole number from 0 to {GRADE_MAX}, or null.",
        )
    return grade
