"""One query's largest pool, scored once: what every figure about depth and about many queries is derived from.

A cross-encoder's logit of a pair does not depend on N, so the deepest pool holds all shallower ones. Left out: the
orders and curves derived from it (depth.py).

>>> pool = Pool("q", ("a", "b"), (0.9, 0.8), (0.0, 2.0), ("c", "d"), {"d": 3, "b": 2})
>>> dict(pool.ranks), round(pool.margin, 2)
({'b': 2, 'd': 4}, 0.1)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rerank_core import metrics
from rerank_core.corpus import Corpus
from rerank_core.errors import InputError
from rerank_core.limits import TAIL
from rerank_core.pipeline import TwoStage
from rerank_core.records import Progress, Ranking, Reranked, StageTiming

DEPTH_MAX = 100
"""Candidates of the largest pool: the deepest N that the page offers."""


@dataclass(frozen=True)
class Pool:
    """One query's largest pool, scored once; three tuples of length M <= DEPTH_MAX in the bi-encoder's order.

    `cosines` fall, `logits` are raw. `beyond` holds the doc_ids of the bi-encoder's ranks M + 1 up, as many as are
    known. `relevance` is doc_id -> grade. `ranks` says where every relevant passage stands in the bi-encoder's full
    order (a doc_id that the corpus lacks is not in it), `ghost_logits` what the cross-encoder said of those that are
    not among the M. `timings` are of the run that scored the pool, ghosts included. `relevant` is the lowest grade
    that counts as relevant.
    """

    query: str
    doc_ids: tuple[str, ...]
    cosines: tuple[float, ...]
    logits: tuple[float, ...]
    beyond: tuple[str, ...]
    relevance: Mapping[str, int]
    ranks: Mapping[str, int] = field(default_factory=dict)
    ghost_logits: Mapping[str, float] = field(default_factory=dict)
    timings: tuple[StageTiming, ...] = ()
    relevant: int = metrics.RELEVANT

    def __post_init__(self) -> None:
        sizes = len(self.doc_ids), len(self.cosines), len(self.logits)
        if len(set(sizes)) > 1:
            raise InputError(
                "A pool needs a cosine and a logit a candidate, not {} candidates, {} cosines and "
                "{} logits.".format(*sizes)
            )
        known = {d: r for r, d in enumerate((*self.doc_ids, *self.beyond), 1) if self._counts(d)}
        object.__setattr__(self, "ranks", {**known, **self.ranks})

    def _counts(self, doc_id: str) -> bool:
        return self.relevance.get(doc_id, 0) >= self.relevant

    def __len__(self) -> int:
        """M, the deepest N that can be derived."""
        return len(self.doc_ids)

    @property
    def before(self) -> tuple[str, ...]:
        """The bi-encoder's order, as far as it is known."""
        return (*self.doc_ids, *self.beyond)

    @property
    def has_relevant(self) -> bool:
        """Without a relevant passage a query has no lift and no curve."""
        return metrics.has_relevant(self.relevance, self.relevant)

    @property
    def margin(self) -> float | None:
        """Cosine of rank 1 minus cosine of rank 2, in [0, 2]; None where there are fewer than two candidates."""
        return self.cosines[0] - self.cosines[1] if len(self) > 1 else None

    @cached_property
    def keys(self) -> tuple[tuple[float, str], ...]:
        """(M,) sort keys of the reranked order: logit descending, then doc_id ascending."""
        return tuple((-x, d) for x, d in zip(self.logits, self.doc_ids, strict=True))

    def depth(self, n: int) -> int:
        """N as it works out here: at most M where that is the whole corpus. InputError for any other N."""
        if n < 1:
            raise InputError(f"N is a whole number of at least 1, not {n}.")
        if n > len(self) and self.beyond:
            raise InputError(
                f"N is {n} but only {len(self)} candidates were scored; score a larger pool."
            )
        return min(n, len(self))


def pool_of(
    engine: TwoStage,
    query: str,
    corpus: Corpus,
    relevance: Mapping[str, int],
    depth: int = DEPTH_MAX,
) -> Pool:
    """Score the `depth` nearest passages once: one retrieval, one reranking, kept scores used."""
    return next(
        p for p in pool_stream(engine, query, corpus, relevance, depth) if isinstance(p, Pool)
    )


def pool_stream(
    engine: TwoStage,
    query: str,
    corpus: Corpus,
    relevance: Mapping[str, int],
    depth: int = DEPTH_MAX,
    *,
    visitor: Hashable = None,
) -> Iterator[Progress | Pool]:
    """Progress while pairs are read, and last the Pool; closing the iterator leaves, see Reranker.stream.

    Relevant passages of the corpus beyond the pool (ghosts) are read in the same run: their logits are for showing,
    and enter no order. Raises what TwoStage.retrieve and rerank_stream raise.
    """
    found = engine.retrieve(query, corpus, depth, tail=len(corpus))
    ranks = {
        d: r
        for r, d in enumerate((*found.ranking.doc_ids, *found.tail), 1)
        if relevance.get(d, 0) >= metrics.RELEVANT
    }
    missed = {d for d, r in ranks.items() if r > len(found.ranking)}
    passages = (*found.ranking.passages, *(p for p in corpus.passages if p.doc_id in missed))
    to_read = Ranking.from_scores(passages, [-float(i) for i in range(len(passages))])
    for item in engine.rerank_stream(found.query, to_read, visitor=visitor):
        if isinstance(item, Reranked):
            yield Pool(
                found.query,
                found.ranking.doc_ids,
                tuple(row.score for row in found.ranking),
                tuple(item.pair(row.doc_id).logit for row in found.ranking),
                found.tail,
                dict(relevance),
                ranks,
                {d: item.pair(d).logit for d in sorted(missed)},
                (*found.timings, *item.timings),
            )
        else:
            yield item


def compact(pool: Pool) -> Pool:
    """As a pool is stored: the first TAIL doc_ids beyond it, no timings, and scores as the shortest numbers that are
    still the same in 32 bits, which is what models give, so that order and ties stay.
    """
    return replace(
        pool,
        cosines=tuple(map(_short, pool.cosines)),
        logits=tuple(map(_short, pool.logits)),
        ghost_logits={d: _short(x) for d, x in pool.ghost_logits.items()},
        beyond=pool.beyond[:TAIL],
        timings=(),
    )


def _short(x: float) -> float:
    return float(str(np.float32(x)))
