"""A first stage that ran elsewhere: a TREC run file, `query-id Q0 doc-id rank score tag` a line, over a corpus.

As for trec_eval the score decides and the rank column is not read; ties by doc_id ascending, as everywhere here. Lines
of queries that are not asked for are skipped. 24 bytes a line are kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from math import isfinite
from pathlib import Path

from rerank_core.corpus_file import CorpusFile
from rerank_core.errors import FileError
from rerank_core.forms import shown
from rerank_core.lines import FileLines
from rerank_core.passage_rows import at

FORM = "query-id Q0 doc-id rank score tag"


class TrecRun:
    """`rows_of` holds for each query of `query_ids` that the file ranks the corpus's rows, best first."""

    def __init__(self, path: Path | str, corpus: CorpusFile, query_ids: Collection[str]) -> None:
        """Read the file once. Raises FileError naming file, line and fix."""
        path = Path(path)
        wanted = {query_id: _Rows() for query_id in query_ids}
        lines, number = FileLines(path), 0
        for number, _, content in lines:
            cells = content.split()
            if len(cells) != 6:
                raise at(path, number, f"{len(cells)} columns, not 6; a line is {FORM}.")
            query_id, _, doc_id, _, score, _ = cells
            value = _score(path, number, score)
            if query_id not in wanted:
                continue
            row = corpus.row_of.get(doc_id)
            if row is None:
                raise at(
                    path, number, f"doc-id {shown(doc_id)} is not in {corpus.path.name}; a run is "
                    "evaluated over the corpus that it was made of."
                )  # fmt: skip
            wanted[query_id].add(row, value, number)
        ranked = {query_id: rows for query_id, rows in wanted.items() if rows.rows}
        if not ranked:
            what = "no line" if not number else "no query that is judged"
            raise FileError(f"{path} holds {what}; give the run of these queries, {FORM} a line.")
        self.name, self.sha256 = path.name, lines.sha256
        self.rows_of: Mapping[str, array[int]] = {
            query_id: rows.ranked(path, query_id, corpus) for query_id, rows in ranked.items()
        }


class _Rows:
    """One query's lines, in the order of the file."""

    def __init__(self) -> None:
        self.rows, self.scores, self.numbers = array("q"), array("d"), array("q")

    def add(self, row: int, score: float, number: int) -> None:
        self.rows.append(row)
        self.scores.append(score)
        self.numbers.append(number)

    def ranked(self, path: Path, query_id: str, corpus: CorpusFile) -> array[int]:
        seen: dict[int, int] = {}
        for row, number in zip(self.rows, self.numbers, strict=True):
            if seen.setdefault(row, number) != number:
                raise at(
                    path, number, f"doc-id {shown(corpus.doc_ids[row])} is already on line "
                    f"{seen[row]} for query-id {shown(query_id)}; rank each once."
                )  # fmt: skip
        order = sorted(
            range(len(self.rows)), key=lambda i: (-self.scores[i], corpus.doc_ids[self.rows[i]])
        )
        return array("q", (self.rows[i] for i in order))


def _score(path: Path, number: int, score: str) -> float:
    try:
        value = float(score)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise at(path, number, f"score {shown(score)} is not a finite number; a line is {FORM}.")
    return value
