"""The training mix: breadth lists with hard negatives, lists to distill, contrast groups' outsiders.

Built once into ``training/runs/mix.json.gz`` (git-ignored: it holds sentences of the data sets). A list is
(source, query, passages, targets): targets are gains (1 right, 0.4 partly, 0 wrong) or, for the source
"distill", the bi-encoder's cosines. 120 lists are set aside as breadth tune. Left out: the order in
which training reads the lists (``train.py``).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from training.export import base_folder
from training.negatives import BiEncoder, Bm25, keep_wrong, nearest
from training.readers import BREADTH, Example, add_data_option, contrast, data_folder
from training.splits import read_split

MIX_FILE = Path("training/runs/mix.json.gz")
TAKE = {"squad": 3000, "squad_unanswerable": 1500, "squad_sentences": 800, "nq": 2655,
        "qa_wiki_nq": 1769, "qa_wiki_wq": 794, "qa_wiki_trivia": 3500, "medquad": 1000,
        "fairytaleqa": 500}  # fmt: skip
LIST_SIZE, POOL_SAMPLE, DISTILL, BREADTH_TUNE = 8, 12_000, 2600, 120
QA_WIKI_MIN_COSINE = 0.45  # a positive that only contains the answer string seldom reaches this
DISTILL_RANKS = (0, 1, 3, 7, 15, 30, 60, 100)  # what a reranker of 100 candidates has before it


@dataclass(frozen=True)
class TrainingList:
    source: str
    query: str
    passages: tuple[str, ...]
    targets: tuple[float, ...]


def take(examples: list[Example], rng: random.Random) -> list[Example]:
    """At most TAKE[source] of each source, at random."""
    by_source: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_source[example.source].append(example)
    chosen: list[Example] = []
    for source, members in sorted(by_source.items()):
        rng.shuffle(members)
        limit = TAKE.get(source, TAKE["qa_wiki_wq"])
        chosen += members[:limit]
    return chosen


def pooled(examples: list[Example], encoder: BiEncoder, rng: random.Random) -> list[TrainingList]:
    """Lists for the sources with a pool: own wrong passages, then mined by cosine and BM25."""
    pools: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        pools[example.pool].append(example)
    lists = []
    for _, members in sorted(pools.items()):
        texts = list(dict.fromkeys(text for e in members for text in e.passages))
        vectors = encoder.encode(texts)
        cosines = encoder.encode([e.query for e in members]) @ vectors.T
        lexical = nearest(Bm25(texts).scores([e.query for e in members]), 12)
        dense = nearest(cosines, 20)
        index = {text: i for i, text in enumerate(texts)}
        for row, example in enumerate(members):
            own = [cosines[row][index[text]] for text in example.passages]
            right = [i for i, grade in enumerate(example.grades) if grade]
            best = max(right, key=lambda i: own[i]) if right else None
            wrong = [i for i in np.argsort(own)[::-1] if not example.grades[i]][:4]
            passages = [example.passages[i] for i in ([best] if best is not None else []) + wrong]
            if best is not None:
                room = LIST_SIZE - len(passages)
                skip = tuple(example.passages)
                candidates = [*dense[row][: 2 + room], *lexical[row][:3], *dense[row]]
                passages += keep_wrong(candidates, texts, cosines[row], skip, own[best],
                                       example.answers, room - 1)  # fmt: skip
                others = [t for t in rng.sample(texts, min(4, len(texts))) if t not in passages]
                passages += [t for t in others if t not in skip][:1]
            targets = (1.0 if best is not None else 0.0, *[0.0] * (len(passages) - 1))
            lists.append(TrainingList(example.source, example.query, tuple(passages), targets))
    return [item for item in lists if len(item.passages) > 1]


def filtered_qa_wiki(examples: list[Example], encoder: BiEncoder) -> list[TrainingList]:
    """The positive that the cosine likes best, if it likes it at all, with 7 of the given wrong ones."""
    queries = encoder.encode([e.query for e in examples])
    right = [(i, t) for i, e in enumerate(examples)
             for t, grade in zip(e.passages, e.grades, strict=True) if grade]  # fmt: skip
    vectors = encoder.encode([text for _, text in right])
    best: dict[int, tuple[float, str]] = {}
    for (i, text), vector in zip(right, vectors, strict=True):
        best[i] = max(best.get(i, (-1.0, "")), (float(queries[i] @ vector), text))
    lists = []
    for i, example in enumerate(examples):
        cosine, text = best[i]
        wrong = [t for t, grade in zip(example.passages, example.grades, strict=True) if not grade]
        if cosine >= QA_WIKI_MIN_COSINE:
            lists.append(TrainingList(example.source, example.query,
                                      (text, *wrong[: LIST_SIZE - 1]), (1.0, *[0.0] * 7)))  # fmt: skip
    return [item for item in lists if len(item.passages) == LIST_SIZE]


def distill(queries: list[str], pool: list[str], encoder: BiEncoder) -> list[TrainingList]:
    """Eight passages from near to far for each query, with their cosines to imitate."""
    cosines = encoder.encode(queries) @ encoder.encode(pool).T
    ranked = nearest(cosines, max(DISTILL_RANKS) + 1)[:, DISTILL_RANKS]
    return [
        TrainingList("distill", query, tuple(pool[i] for i in row), tuple(map(float, cos[row])))
        for query, row, cos in zip(queries, ranked, cosines, strict=True)
    ]


def read_mix() -> tuple[list[TrainingList], list[TrainingList], dict[str, list[str]]]:
    """(lists, breadth tune, outsiders by group id), as ``main`` wrote them."""
    if not MIX_FILE.exists():
        raise SystemExit(f"{MIX_FILE} is missing: run python -m training.mix first.")
    with gzip.open(MIX_FILE, "rt", encoding="utf-8") as file:
        raw = json.load(file)
    lists, tune = ([TrainingList(s, q, tuple(p), tuple(t)) for s, q, p, t in raw[k]]
                   for k in ("lists", "tune"))  # fmt: skip
    return lists, tune, raw["outsiders"]


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Write {MIX_FILE}")
    add_data_option(parser)
    data = data_folder(parser.parse_args().data)
    rng, encoder = random.Random(7), BiEncoder(base_folder(), Path("training/runs/cache"))
    examples = take([e for read in BREADTH.values() for e in read(data)], rng)
    noisy = [e for e in examples if e.source.startswith("qa_wiki")]
    wiki = [t for e in noisy for t in e.passages]
    pool = rng.sample(wiki, min(POOL_SAMPLE, len(wiki)))
    print("examples", dict(Counter(e.source for e in examples)), flush=True)
    lists = filtered_qa_wiki(noisy, encoder)
    print("qa_wiki kept", len(lists), flush=True)
    # NQ has no wrong passages of its own: qa_wiki's passages are its pool.
    filler = Example("filler", "x", tuple(pool), (0,) * len(pool), ("\x00",), "wiki")
    clean = [e for e in examples if not e.source.startswith("qa_wiki")]
    ready = pooled([*clean, filler], encoder, rng)
    lists += [item for item in ready if item.source != "filler"]
    asked = [item.query for item in lists if item.source in ("nq", "qa_wiki_nq", "qa_wiki_wq")]
    lists += distill(rng.sample(asked, min(DISTILL, len(asked))), pool, encoder)
    rng.shuffle(lists)
    tune = [item for item in lists if item.source in ("nq", "qa_wiki_nq")][:BREADTH_TUNE]
    held = {item.query for item in tune}
    lists = [item for item in lists if item.query not in held]
    # Outsiders: for each query of a training group, the nearest passages of other groups.
    groups = read_split(contrast(data))["train"]
    owner = [i for i, g in enumerate(groups) for _ in g.passages]
    texts = [t for g in groups for t in g.passages]
    vectors = encoder.encode(texts)
    queries = iter(encoder.encode([q for g in groups for q, _ in g.queries]))
    outsiders: dict[str, list[str]] = {}
    first = 0
    for i, group in enumerate(groups):
        for _, relevant in group.queries:
            row = vectors @ next(queries)
            right = max(row[first + p] for p in relevant)
            near = [j for j in nearest(row[None], 14)[0] if owner[j] != i]
            mined = keep_wrong(near, texts, row, (), float(right), (), 4)
            outsiders.setdefault(group.group_id, []).extend(mined)
        first += len(group.passages)
    MIX_FILE.parent.mkdir(parents=True, exist_ok=True)
    mix = {"lists": [astuple(x) for x in lists], "tune": [astuple(x) for x in tune]}
    with gzip.open(MIX_FILE, "wt", encoding="utf-8", compresslevel=3) as file:
        json.dump({**mix, "outsiders": outsiders}, file)
    print("lists", dict(Counter(item.source for item in lists)), "groups", len(groups))


if __name__ == "__main__":
    main()
