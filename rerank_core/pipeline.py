"""Both stages as one engine: retrieve with a bi-encoder, rerank with a cross-encoder, compare.

`TwoStage()` uses the embedded models, loads them on first use, and never touches the network. One engine serves many
threads. To let visitors choose models, make one engine a pair of models and give all of them one Scheduler, so that
one forward pass runs at a time, and one ScoreCache.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rerank_core.batch_size import measured_batch
from rerank_core.comparison import Comparison, Lift
from rerank_core.corpus import Corpus, OnProgress, as_passages
from rerank_core.errors import RerankError
from rerank_core.inputs import check_retrieve_k, check_top_k, clean_query
from rerank_core.limits import (
    KEPT_CORPORA,
    MAX_WAIT_S,
    RETRIEVE_K_DEFAULT,
    TAIL,
    TOP_K_DEFAULT,
)
from rerank_core.models import (
    EMBEDDED_BI_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    Encoder,
    PairScorer,
    load_encoder,
    load_scorer,
)
from rerank_core.records import ModelCard, Passage, Progress, Ranking, Reranked, Retrieved
from rerank_core.rerank import Reranker
from rerank_core.retrieve import QueryEncoder, retrieve
from rerank_core.scheduler import Scheduler
from rerank_core.score_cache import ScoreCache

__all__ = ["Comparison", "Lift", "TwoStage"]

T = TypeVar("T")


class TwoStage:
    """The engine. Models are objects, registered names, or None for the embedded ones.

    `cache` and `scheduler` may be shared between engines. `load_ms` holds what loading took, by "bi-encoder" and
    "cross-encoder". Every method may raise WeightsError where a model cannot be loaded.
    """

    def __init__(
        self,
        encoder: Encoder | str | None = None,
        scorer: PairScorer | str | None = None,
        *,
        cache: ScoreCache | None = None,
        scheduler: Scheduler | None = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self.cache = ScoreCache() if cache is None else cache
        self.scheduler = Scheduler() if scheduler is None else scheduler
        self.load_ms: dict[str, float] = {}
        self._max_wait_s = max_wait_s
        self._encoder_source = EMBEDDED_BI_ENCODER if encoder is None else encoder
        self._scorer_source = EMBEDDED_CROSS_ENCODER if scorer is None else scorer
        self._queries: QueryEncoder | None = None
        self._reranker: Reranker | None = None
        self._loading = threading.Lock()
        self._corpora: list[Corpus] = []

    def sibling(self, encoder: Encoder | None = None, scorer: PairScorer | None = None) -> TwoStage:
        """An engine over other models, this engine's own where None; turns, kept scores and, with this engine's own
        bi-encoder, kept query vectors are shared. Loads what it takes over."""
        other = TwoStage(
            encoder, scorer, cache=self.cache, scheduler=self.scheduler, max_wait_s=self._max_wait_s
        )
        if encoder is None:
            other._queries = self._bi()
        if scorer is None:
            other._reranker = self._cross()
        return other

    # Loading

    @property
    def loaded(self) -> bool:
        """Whether both models are in memory; asking loads nothing."""
        return self._queries is not None and self._reranker is not None

    def load(self) -> TwoStage:
        """Load what is not loaded yet; safe from many threads. Returns the engine."""
        self._bi(), self._cross()
        return self

    def warm(self) -> TwoStage:
        """One tiny forward pass of each model, so that no visitor pays for the first one. Returns the engine."""
        scorer = self._cross().scorer
        self._bi()("warm", use_cache=False)
        prepared = scorer.prepare("warm", ["warm"])
        self.scheduler.call(lambda: scorer.score(prepared))
        self.scheduler.pace(scorer).cold = False
        return self

    def size_batches(self) -> TwoStage:
        """Try how many tokens a forward pass should read here, about a second in turns. Returns the engine.

        Worth it for a server and for many queries; until then limits.BATCH_TOKENS holds.
        """
        scorer = self._cross().scorer
        found = measured_batch(scorer, lambda work: self.scheduler.call(work, short=False))
        self.scheduler.pace(scorer).batch_tokens = found
        return self

    @property
    def encoder_card(self) -> ModelCard:
        """The bi-encoder's card (loads it)."""
        return self._bi().encoder.card

    @property
    def scorer_card(self) -> ModelCard:
        """The cross-encoder's card (loads it)."""
        return self._cross().scorer.card

    @property
    def encoder(self) -> Encoder:
        """The bi-encoder, in turns with everybody else's work (loads it)."""
        return _InTurns(self._bi().encoder, self.scheduler)

    def _bi(self) -> QueryEncoder:
        if self._queries is not None:  # once loaded, nobody waits for another model's load
            return self._queries
        with self._loading:
            if self._queries is None:
                source, start = self._encoder_source, perf_counter()
                encoder = load_encoder(source) if isinstance(source, str) else source
                self.load_ms["bi-encoder"] = (perf_counter() - start) * 1e3
                self._queries = QueryEncoder(encoder, self.scheduler)
            return self._queries

    def _cross(self) -> Reranker:
        if self._reranker is not None:
            return self._reranker
        with self._loading:
            if self._reranker is None:
                source, start = self._scorer_source, perf_counter()
                scorer = load_scorer(source) if isinstance(source, str) else source
                self.load_ms["cross-encoder"] = (perf_counter() - start) * 1e3
                self._reranker = Reranker(scorer, self.cache, self.scheduler, self._max_wait_s)
            return self._reranker

    # The two stages

    def corpus(
        self, passages: Iterable[str | Passage], progress: OnProgress | None = None
    ) -> Corpus:
        """Encode passages once, in turns with other visitors; keep the Corpus and pass it on.

        More than limits.EXACT_MAX distinct texts also get an index; `progress` then counts a second time.
        """
        return Corpus.encode(passages, self.encoder, progress).indexed(progress)

    def retrieve(
        self,
        query: str,
        passages: Corpus | Iterable[str | Passage],
        retrieve_k: int = RETRIEVE_K_DEFAULT,
        *,
        use_cache: bool = True,
        tail: int = TAIL,
    ) -> Retrieved:
        """The N passages whose vectors are nearest to the query's (all where there are fewer), and `tail` more doc_ids.

        A plain list is encoded, and the engine keeps its vectors while it is among the last KEPT_CORPORA lists.
        Raises InputError for a query, N or passages out of bounds.
        """
        query, retrieve_k = clean_query(query), check_retrieve_k(retrieve_k)
        corpus = passages if isinstance(passages, Corpus) else self._kept_corpus(passages)
        queries = self._bi()
        return retrieve(
            query, corpus, queries.encoder, retrieve_k,
            encode=lambda text: queries(text, use_cache=use_cache), tail=tail,
        )  # fmt: skip

    def rerank(
        self,
        query: str,
        candidates: Ranking | Iterable[str | Passage],
        top_k: int = TOP_K_DEFAULT,
        *,
        use_cache: bool = True,
    ) -> Ranking:
        """The K best of the candidates by the cross-encoder, ranks from 1, scores raw logits.

        All of them where there are fewer; none where there are none. The candidates stay as they are.
        """
        check_top_k(top_k)
        ranking = candidates if isinstance(candidates, Ranking) else _in_order(candidates)
        return self._read(query, ranking, use_cache).ranking.top(top_k)

    def rerank_stream(
        self,
        query: str,
        before: Ranking,
        *,
        use_cache: bool = True,
        visitor: Hashable = None,
        cache: ScoreCache | None = None,
    ) -> Iterator[Progress | Reranked]:
        """Progress while pairs are read, and last the Reranked; see Reranker.stream.

        `visitor` is any key: runs of one visitor share one turn. `cache` replaces the engine's for this run.
        """
        query = clean_query(query)
        return self._cross().stream(
            query, before, use_cache=use_cache, visitor=visitor, cache=cache
        )

    def compare(
        self,
        query: str,
        passages: Corpus | Iterable[str | Passage],
        retrieve_k: int = RETRIEVE_K_DEFAULT,
        top_k: int = TOP_K_DEFAULT,
        *,
        use_cache: bool = True,
    ) -> Comparison:
        """Both stages: the N candidates before and after. InputError where K is larger than N."""
        check_top_k(top_k, check_retrieve_k(retrieve_k))
        retrieved = self.retrieve(query, passages, retrieve_k, use_cache=use_cache)
        return Comparison.of(
            retrieved, self._read(retrieved.query, retrieved.ranking, use_cache), top_k
        )

    def _read(self, query: str, before: Ranking, use_cache: bool) -> Reranked:
        for item in self.rerank_stream(query, before, use_cache=use_cache):
            if isinstance(item, Reranked):
                return item
        raise RerankError("The reranking ended without an answer; try again.")

    def _kept_corpus(self, passages: Iterable[str | Passage]) -> Corpus:
        given = tuple(as_passages(passages))
        for kept in self._corpora:
            if kept.passages == given:
                return kept
        corpus = Corpus.encode(given, self.encoder)  # no index: few queries would not pay for it
        self._corpora = [*self._corpora, corpus][-KEPT_CORPORA:]  # a new list: readers need no lock
        return corpus


class _InTurns:
    """An Encoder whose every batch of passages waits for its turn."""

    def __init__(self, encoder: Encoder, scheduler: Scheduler) -> None:
        self.card = encoder.card
        self._encoder, self._scheduler = encoder, scheduler

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._scheduler.call(lambda: self._encoder.encode_queries(texts)).value

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._scheduler.call(lambda: self._encoder.encode_passages(texts), short=False).value


def _in_order(candidates: Iterable[str | Passage]) -> Ranking:
    """Candidates without scores, as a Ranking in the order given."""
    passages = as_passages(candidates)
    return Ranking.from_scores(passages, [float(-i) for i in range(len(passages))])
