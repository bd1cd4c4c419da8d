"""The second stage: a cross-encoder reads every (query, passage) pair, and the candidates get a new order.

Pairs go to the model in length-sorted batches of so many tokens and come back in order; scores are raw logits. Equal
texts are read once, counted once, and get the same score. What is left out: choosing candidates (retrieve.py), turns
between visitors (scheduler.py), keeping scores (score_cache.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from time import perf_counter

import numpy as np

from rerank_core.errors import BusyError, ModelError, RerankError
from rerank_core.inputs import clean_query
from rerank_core.limits import HEARTBEAT_S, MAX_WAIT_S
from rerank_core.models import PairScorer
from rerank_core.records import PairScore, Passage, Progress, Ranking, Reranked, StageTiming
from rerank_core.scheduler import Pace, Scheduler
from rerank_core.score_cache import Claim, Entry, Key, Pending, ScoreCache, Watch


class PairWork:
    """One run's pairs as work for the scheduler: a batch a step, over pairs that somebody still waits for.

    `ms` and `batches` count the forward passes so far; `cold` is true where the first of them was the model's first.
    """

    def __init__(
        self, scorer: PairScorer, cache: ScoreCache, pairs: Sequence[Pending], pace: Pace
    ) -> None:
        self.ms, self.batches, self.cold = 0.0, 0, False
        self._scorer, self._cache, self._pace = scorer, cache, pace
        self._queue = deque(sorted(pairs, key=lambda p: p.prepared.tokens))
        self._batch: list[Pending] = []

    def step(self) -> bool:
        self._batch = self._cache.take(self._queue, self._pace.batch_tokens)
        if self._batch:
            self._score(self._batch)
            self._batch = []
        return bool(self._queue)

    def fail(self, error: BaseException) -> None:
        self._cache.fail([*self._batch, *self._queue], error)
        self._batch = []
        self._queue.clear()

    def remaining_ms(self) -> float:
        pairs = len(self._batch) + self._cache.wanted(list(self._queue))
        return pairs * self._pace.ms_per_pair

    def _score(self, batch: Sequence[Pending]) -> None:
        self.cold = self.cold or self._pace.cold
        start = perf_counter()
        logits = np.asarray(self._scorer.score([p.prepared for p in batch]), dtype=np.float32)
        ms = (perf_counter() - start) * 1e3
        if logits.shape != (len(batch),) or not np.isfinite(logits).all():
            raise RerankError(
                f"{self._scorer.card.name} gave scores of shape {logits.shape} for {len(batch)} pairs, or scores "
                "that are not finite; choose another cross-encoder."
            )
        self._pace.note(ms, len(batch))
        self.ms += ms
        self.batches += 1
        self._cache.finish(
            batch,
            [
                Entry(float(x), p.prepared.tokens, p.prepared.cut, ms / len(batch) + p.prepare_ms)
                for p, x in zip(batch, logits, strict=True)
            ],
        )


class Reranker:
    """A cross-encoder with its score cache and its place in the scheduler's turns."""

    def __init__(
        self,
        scorer: PairScorer,
        cache: ScoreCache | None = None,
        scheduler: Scheduler | None = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self.scorer = scorer
        self.cache = ScoreCache() if cache is None else cache
        self.scheduler = Scheduler() if scheduler is None else scheduler
        self.max_wait_s = max_wait_s

    def stream(
        self,
        query: str,
        candidates: Ranking | Sequence[Passage],
        *,
        use_cache: bool = True,
        visitor: Hashable = None,
        cache: ScoreCache | None = None,
    ) -> Iterator[Progress | Reranked]:
        """Progress while pairs are read, then one Reranked: all candidates in the new order.

        Progress counts distinct texts, kept scores included; at least every HEARTBEAT_S seconds there is one. Without
        candidates, and where every score is kept, the Reranked comes at once and nothing waits for the model.
        `use_cache=False` computes every pair now, neither reading the cache nor joining what is under way.
        Closing the iterator leaves: pairs that nobody else waits for are then not computed.

        Raises InputError at once (query, doc_ids); on iteration BusyError where the expected wait is longer than
        `max_wait_s`, and RerankError where the model fails.
        """
        query = clean_query(query)
        passages = candidates.passages if isinstance(candidates, Ranking) else tuple(candidates)
        Ranking.from_scores(passages, [0.0] * len(passages))  # distinct doc_ids, or InputError now
        return self._stream(
            query, passages, use_cache, visitor, self.cache if cache is None else cache
        )

    def _stream(
        self,
        query: str,
        passages: Sequence[Passage],
        use_cache: bool,
        visitor: Hashable,
        cache: ScoreCache,
    ) -> Iterator[Progress | Reranked]:
        start = perf_counter()
        texts = list(dict.fromkeys(p.text for p in passages))
        keys = [Key(self.scorer.card.scores_hash, query, text) for text in texts]
        claim = cache.claim(keys, self._admit, live=not use_cache)
        work, prepare_ms = None, 0.0
        try:
            if claim.mine:
                work, prepare_ms = self._begin(query, claim, cache, visitor)
            watch: Watch | None = None
            while claim.pending and (watch is None or watch.done < len(claim.pending)):
                watch = cache.wait(claim, watch, HEARTBEAT_S if watch else 0.0)
                if watch.error is not None:
                    raise _told(self.scorer.card.name, watch.error)
                yield Progress(len(claim.kept) + watch.done, len(texts), waiting=not watch.started)
        finally:
            cache.release(claim)
        end = max((p.done_at or start for p in claim.pending), default=perf_counter())
        yield self._answer(query, passages, claim, work, prepare_ms, (end - start) * 1e3)

    def _admit(self, pairs: int) -> None:
        wait_s = self.scheduler.backlog_ms() / 1e3
        if wait_s > self.max_wait_s:
            raise BusyError(
                f"The model is busy: about {wait_s:.0f} s of work wait before these {pairs} pairs, more than the "
                f"{self.max_wait_s:.0f} s that a run may wait; try again in {wait_s - self.max_wait_s + 1:.0f} s.",
                wait_s,
            )

    def _begin(
        self, query: str, claim: Claim, cache: ScoreCache, visitor: Hashable
    ) -> tuple[PairWork, float]:
        """Tokenise the claim's own pairs and queue them; what tokenising took, in milliseconds."""
        start = perf_counter()
        try:
            prepared = cache.tokens.prepare(self.scorer, query, [p.key.text for p in claim.mine])
            ms = (perf_counter() - start) * 1e3
            for pending, pair in zip(claim.mine, prepared, strict=True):
                pending.prepared, pending.prepare_ms = pair, ms / len(claim.mine)
            work = PairWork(self.scorer, cache, claim.mine, self.scheduler.pace(self.scorer))
            self.scheduler.submit(work, visitor)
            return work, ms
        except BaseException as error:
            cache.fail(claim.mine, error)  # others may have joined: they must not wait for ever
            raise _told(self.scorer.card.name, error)  # noqa: B904 - _told chains it

    def _answer(
        self,
        query: str,
        passages: Sequence[Passage],
        claim: Claim,
        work: PairWork | None,
        prepare_ms: float,
        wall_ms: float,
    ) -> Reranked:
        entries = dict(claim.kept)
        entries.update({p.key: p.entry for p in claim.pending if p.entry is not None})
        by_text = {key.text: entry for key, entry in entries.items()}
        mine = {p.key.text for p in claim.mine}
        ranking = Ranking.from_scores(passages, [by_text[p.text].logit for p in passages])
        pairs = tuple(
            PairScore(row.doc_id, e.logit, e.tokens, e.cut, row.passage.text not in mine)
            for row in ranking
            for e in (by_text[row.passage.text],)
        )
        cached = [e for text, e in by_text.items() if text not in mine]
        cross_ms = prepare_ms + (work.ms if work else 0.0)
        timings = (
            StageTiming("wait", max(0.0, wall_ms - cross_ms) if claim.pending else 0.0),
            StageTiming(
                "cross-encode",
                cross_ms,
                pairs=len(by_text),
                tokens=sum(e.tokens for e in by_text.values()),
                batches=work.batches if work else 0,
                cold=work.cold if work else False,
                cached=len(cached),
                live_ms=sum(e.ms for e in cached) if cached else None,
            ),
        )
        return Reranked(query, ranking, pairs, timings, self.scorer.card)


def _told(name: str, error: BaseException) -> BaseException:
    """What a waiter raises: errors of ours as they are, any other as one sentence, chained."""
    if isinstance(error, RerankError) or not isinstance(error, Exception):
        return error
    told = ModelError(f"{name} failed on this query ({type(error).__name__}: {error}); try again.")
    told.__cause__ = error
    return told
