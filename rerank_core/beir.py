"""A BEIR folder: corpus.jsonl, queries.jsonl (`_id`, `text`) and qrels/test.tsv (query-id, corpus-id, score).

Strict once, here: every mistake is a FileError that names file, line and fix. What is read leniently: other keys of
a JSON object are left alone; a score below 0, which TREC gives to spam, counts as 0; the same judgement twice is one.
A judged passage that the corpus lacks stays in the ideal order, since whoever judged it wanted it found; a query that
is judged but not there is a mistake.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from rerank_core.corpus_file import CorpusFile
from rerank_core.errors import FileError
from rerank_core.forms import shown
from rerank_core.judged import JudgedQuery
from rerank_core.limits import GRADE_MAX
from rerank_core.lines import FileLines, check_id, text_of
from rerank_core.passage_rows import at, json_object

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"
LIKE = '{"_id": "...", "text": "..."}'
HEADER = "query-id<tab>corpus-id<tab>score"
WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class BeirFolder:
    """`queries` are the judged ones, in the order of queries.jsonl; `sha256` is of all that was read."""

    name: str
    corpus: CorpusFile
    queries: tuple[JudgedQuery, ...]
    sha256: str


def read_beir(folder: Path | str) -> BeirFolder:
    """Read a folder: judgements and queries whole, the corpus as a CorpusFile. Raises FileError."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(
            f"{folder} is not a folder; give one that holds {CORPUS}, {QUERIES} and {QRELS}."
        )
    for name in (CORPUS, QUERIES, QRELS):
        if not (folder / name).is_file():
            raise FileError(
                f"{folder / name} is missing; a BEIR folder holds {CORPUS}, {QUERIES} and {QRELS}."
            )
    qrels = FileLines(folder / QRELS)
    judged, line_of = _qrels(qrels)
    texts = FileLines(folder / QUERIES)
    queries = _queries(texts, judged)
    for query_id, line in line_of.items():
        if query_id in judged:  # what _queries found is no longer in it
            raise at(
                qrels.path, line, f"query-id {shown(query_id)} is not in {QUERIES}; add the query or "
                "remove its lines."
            )  # fmt: skip
    corpus = CorpusFile(folder / CORPUS)
    if not any(d in corpus.row_of for q in queries for d in q.relevance):
        raise FileError(
            f"{qrels.path} judges no passage of {CORPUS}; the corpus-ids are to be its `_id`s."
        )
    said = f"{corpus.sha256} {texts.sha256} {qrels.sha256}"
    digest = hashlib.sha256(said.encode()).hexdigest()
    return BeirFolder(folder.resolve().name, corpus, queries, digest)


def _queries(lines: FileLines, judged: dict[str, dict[str, int]]) -> tuple[JudgedQuery, ...]:
    """The judged ones, each taken out of `judged`."""
    found: list[JudgedQuery] = []
    line_of: dict[str, int] = {}
    for number, _, content in lines:
        row = json_object(lines.path, number, content, LIKE)
        query_id = check_id(lines.path, number, "`_id`", text_of(lines.path, number, row, "_id"))
        text = text_of(lines.path, number, row, "text")
        if query_id in line_of:
            raise at(
                lines.path, number, f"`_id` {shown(query_id)} is already that of line "
                f"{line_of[query_id]}; every query needs its own."
            )  # fmt: skip
        line_of[query_id] = number
        if query_id not in judged:
            continue  # of another split
        if not text.strip():
            raise at(lines.path, number, "`text` is empty; write a query or remove its judgements.")
        found.append(JudgedQuery.of(query_id, text, judged.pop(query_id)))
    return tuple(found)


def _qrels(lines: FileLines) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """query-id -> corpus-id -> grade, and query-id -> the first line that judges it."""
    path, header = lines.path, True
    judged: dict[str, dict[str, int]] = {}
    line_of: dict[str, int] = {}
    for number, _, content in lines:
        cells = content.split("\t")
        if len(cells) != 3:
            raise at(path, number, _columns(cells))
        query_id, doc_id, score = (cell.strip() for cell in cells)
        if header:
            header = False
            if WHOLE.fullmatch(score):
                raise at(path, number, f"no header; put {HEADER} into the first line.")
            continue
        check_id(path, number, "query-id", query_id)
        check_id(path, number, "corpus-id", doc_id)
        grade = _grade(path, number, score)
        known = judged.setdefault(query_id, {})
        if known.setdefault(doc_id, grade) != grade:
            raise at(
                path, number, f"corpus-id {shown(doc_id)} has score {grade} here and "
                f"{known[doc_id]} above for query-id {shown(query_id)}; keep one."
            )  # fmt: skip
        line_of.setdefault(query_id, number)
    if not judged:
        raise FileError(f"{path} holds no judgement; put {HEADER} into it, then one a line.")
    return judged, line_of


def _columns(cells: list[str]) -> str:
    spaced = "".join(cells).split()
    if len(cells) == 1 and len(spaced) in (3, 4):
        return f"no tabs; separate the columns with tabs: {HEADER}."
    trec = " (remove the second column of a TREC file)" if len(cells) == 4 else ""
    return f"{len(cells)} columns, not 3; a line is {HEADER}{trec}."


def _grade(path: Path, number: int, score: str) -> int:
    if not WHOLE.fullmatch(score) or int(score) > GRADE_MAX:
        raise at(
            path, number, f"score {shown(score)} is not a whole number from 0 to {GRADE_MAX}; "
            "0 is not relevant, higher is better."
        )  # fmt: skip
    return max(0, int(score))
