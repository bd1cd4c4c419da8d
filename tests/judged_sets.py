"""Judged sets out of nothing, written as the files that are evaluated: random words, random grades, by a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

VOCABULARY = [f"word{i}" for i in range(60)]


class Judged(NamedTuple):
    """Passages and queries by id, and query id -> doc_id -> grade."""

    passages: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def some_judged(
    passages: int = 80, queries: int = 14, most: int = 1, seed: int = 0, absent: bool = False
) -> Judged:
    """Grades from 0 to `most`; the first query has no relevant passage; `absent` judges one that the corpus lacks."""
    rng = random.Random(seed)
    texts = {
        f"d{i:03d}": " ".join(rng.choices(VOCABULARY, k=rng.randint(3, 12)))
        for i in range(passages)
    }
    texts["d001"] = texts["d000"]  # equal texts tie
    asked = {f"q{i:02d}": " ".join(rng.choices(VOCABULARY, k=3)) for i in range(queries)}
    qrels = {
        q: {d: rng.randint(0, most) for d in rng.sample(list(texts), 20)} | {f"d{i:03d}": most}
        for i, q in enumerate(asked)
    }
    qrels["q00"] = dict.fromkeys(qrels["q00"], 0)
    if absent:
        qrels["q01"]["nowhere"] = most
    return Judged(texts, asked, qrels)


def write_beir(folder: Path, data: Judged, titles: Mapping[str, str] | None = None) -> Path:
    """The data as a BEIR folder; returns the folder."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    titles = titles or {}
    write_lines(
        folder / "corpus.jsonl",
        [{"_id": d, "title": titles.get(d, ""), "text": t} for d, t in data.passages.items()],
    )
    write_lines(folder / "queries.jsonl", [{"_id": q, "text": t} for q, t in data.queries.items()])
    rows = ["query-id\tcorpus-id\tscore"] + [
        f"{q}\t{d}\t{grade}" for q, grades in data.qrels.items() for d, grade in grades.items()
    ]
    (folder / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def write_run(path: Path, data: Judged, seed: int = 1, depth: int = 30) -> Path:
    """A run with few distinct scores, so that there are ties; its rank column is wrong on purpose; lacks q02."""
    rng = random.Random(seed)
    lines = [
        f"{q} Q0 {d} 1 {rng.choice([0.5, 1, 1.5, 2])} someone"
        for q in data.queries
        if q != "q02"
        for d in rng.sample(list(data.passages), depth)
    ]
    rng.shuffle(lines)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def write_lists(path: Path, data: Judged, seed: int = 1) -> Path:
    """A few passages a query, some unjudged; queries differ in how many they have."""
    rng = random.Random(seed)
    rows = []
    for q, text in data.queries.items():
        ids = [*rng.sample(list(data.qrels[q]), rng.randint(4, 12)), "d070"]
        ids = list(dict.fromkeys(ids))
        rows.append(
            {
                "query_id": q,
                "query": text,
                "passages": [{"doc_id": d, "text": data.passages[d]} for d in ids],
                "grades": [data.qrels[q].get(d) for d in ids],
            }
        )
    write_lines(path, rows)
    return path


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
