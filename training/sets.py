"""The sets that are measured on, in one form: a query, its candidates in the first stage's order, grades.

Held-out contrast groups, DL20 (also with typos), WikiQA and Cranfield. Grades are on the core's scale or a
set's own; ``figures`` says what each set is measured by. Left out: training data (``readers.py``).
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rerank_core.metrics import ndcg_at_k, reciprocal_rank
from training.export import base_folder
from training.negatives import BiEncoder, nearest
from training.readers import Group, contrast
from training.splits import read_split

MEASURE_ONLY = ("report", "dl20", "dl20-typos", "wikiqa", "cranfield")
CRANFIELD_GRADES = {1: 4, 2: 3, 3: 2, 4: 1}  # its 1 is the best and 4 the least; -1 is none


@dataclass(frozen=True)
class Pool:
    """``order`` holds the candidates' ids as the first stage ranked them, where there was one."""

    query_id: str
    query: str
    doc_ids: tuple[str, ...]
    texts: tuple[str, ...]
    grades: dict[str, int]
    slice: str = ""


def average_precision(doc_ids: Sequence[str], grades: dict[str, int], least: int = 2) -> float:
    """Mean over the relevant passages of precision at their rank.

    >>> average_precision(["a", "x", "b"], {"a": 2, "b": 2})
    0.8333333333333333
    """
    hits, total = 0, 0.0
    for rank, doc_id in enumerate(doc_ids, 1):
        if grades.get(doc_id, 0) >= least:
            hits += 1
            total += hits / rank
    relevant = sum(grade >= least for grade in grades.values())
    return total / relevant if relevant else 0.0


def contrast_pools(data: Path, split: str) -> list[Pool]:
    """The queries of a split's given groups (our own are only trained on, and chosen by)."""
    return pools_of([group for group in read_split(contrast(data))[split] if not group.own])


def pools_of(groups: Sequence[Group]) -> list[Pool]:
    """Every query of a group over the group's passages; only grade 2 counts as right."""
    pools = []
    for group in groups:
        ids = tuple(f"{group.group_id}/{i}" for i in range(len(group.passages)))
        for number, (query, relevant) in enumerate(group.queries):
            grades = {ids[i]: grade for i, grade in relevant.items()}
            pools.append(
                Pool(f"{group.group_id}#{number}", query, ids, group.passages, grades, group.slice)
            )
    return pools


def dl20(data: Path, typos: bool = False) -> list[Pool]:
    """BM25's first 100 for the 54 judged queries; with typos: the query changes, the candidates do not."""
    folder = data / "dl20"
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    with gzip.open(folder / "qrels.txt.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            query_id, _, doc_id, grade = line.split()
            grades[query_id][doc_id] = int(grade)
    with (folder / "queries.typo1.tsv").open(encoding="utf-8") as file:
        typed = dict(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    with gzip.open(folder / "bm25_top100.json.gz", "rt", encoding="utf-8") as file:
        rows = json.load(file)
    pools = []
    for row in rows:
        query_id = str(row["hits"][0]["qid"])
        query = typed[query_id] if typos else row["query"]
        hits = sorted(row["hits"], key=lambda hit: hit["rank"])
        pools.append(Pool(query_id, query, tuple(h["docid"] for h in hits),
                          tuple(h["content"] for h in hits), grades[query_id]))  # fmt: skip
    return pools


def wikiqa(data: Path) -> list[Pool]:
    """WikiQA test: the sentences of a page, for questions that have a right one (as is customary)."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(data / "wikiqa/WikiQA-test.tsv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            rows[row["QuestionID"]].append(row)
    pools = []
    for query_id, sentences in rows.items():
        grades = {row["SentenceID"]: 2 * int(row["Label"]) for row in sentences}
        if any(grades.values()):
            pools.append(Pool(query_id, sentences[0]["Question"], tuple(grades),
                              tuple(row["Sentence"] for row in sentences), grades))  # fmt: skip
    return pools


def cranfield(data: Path, depth: int = 100) -> list[Pool]:
    """The bi-encoder's first 100 of 1,400 abstracts (title, then text)."""
    folder = data / "cranfield"
    with gzip.open(folder / "cran.all.1400.gz", "rt", encoding="utf-8") as file:
        parts = re.split(r"^\.I (\d+)\s*$", file.read(), flags=re.MULTILINE)[1:]
    texts: dict[str, str] = {}
    for number, body in zip(parts[::2], parts[1::2], strict=True):
        found = re.search(r"^\.W\s*$(.*)", body, flags=re.MULTILINE | re.DOTALL)
        texts[number] = " ".join((found.group(1) if found else body).split())
    queries = [" ".join(q.split()) for q in re.split(
        r"^\.I \d+\s*\n\.W\s*$", (folder / "cran.qry").read_text("utf-8"), flags=re.MULTILINE)[1:]]  # fmt: skip
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "cran.qrels").read_text("utf-8").splitlines():
        query, doc_id, code = line.split()[:3]
        grades[query][doc_id] = CRANFIELD_GRADES.get(int(code), 0)
    encoder, ids = BiEncoder(base_folder(), None), list(texts)
    top = nearest(encoder.encode(queries) @ encoder.encode(list(texts.values())).T, depth)
    return [
        Pool(str(n), query, tuple(ids[i] for i in row), tuple(texts[ids[i]] for i in row),
             grades[str(n)])
        for n, (query, row) in enumerate(zip(queries, top, strict=True), 1)
    ]  # fmt: skip


def figures(name: str) -> dict[str, Callable[[Sequence[str], dict[str, int]], float]]:
    """What a set is measured by: name -> function of (doc_ids in order, grades)."""
    if name in ("tune", "report"):
        return {
            "P@1": lambda ids, grades: float(grades.get(ids[0], 0) >= 2),
            "MRR": reciprocal_rank,
        }
    if name == "wikiqa":
        return {"MRR": reciprocal_rank, "MAP": average_precision}
    return {"nDCG@10": lambda ids, grades: ndcg_at_k(ids, grades, 10)}


def load_set(name: str, data: Path) -> list[Pool]:
    if name in ("tune", "report"):
        return contrast_pools(data, name)
    if name in ("dl20", "dl20-typos"):
        return dl20(data, typos=name.endswith("typos"))
    return {"wikiqa": wikiqa, "cranfield": cranfield}[name](data)


def order_by(scores: np.ndarray, doc_ids: Sequence[str]) -> list[str]:
    """Score falling, then doc_id rising: the project's rule for ties."""
    return [doc_id for _, doc_id in sorted(zip(-scores, doc_ids, strict=True))]
