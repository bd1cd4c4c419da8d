"""Named endpoints for programs and agents: /compare, /rerank, /evaluate and /scenarios. Typed, and bounded inside.

A caller's own texts are scored with a cache that lives as long as the call: nobody else's answer can hold them. Models
are chosen per call, by names of the list. Left out: the bounds (api_bounds.py), and MCP (agents.py), which offers the
same functions as tools and reads their docstrings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import gradio as gr
from gradio.events import api as endpoint

from rerank_core import limits
from rerank_core.errors import BusyError, ModelError, RerankError
from rerank_core.evaluate_run import evaluate_queries
from rerank_core.pipeline import Comparison, TwoStage
from rerank_core.records import Passage, Ranking, Reranked
from rerank_core.score_cache import ScoreCache
from rerank_core.trace import trace_of
from ui.api_bounds import bounded, evaluation, texts
from ui.model_choice import checked_choice
from ui.model_service import Models, Ready
from ui.models_views import sentence_of

log = logging.getLogger(__name__)
T = TypeVar("T")


class Api:
    """The endpoints as functions, over the page's Models; what a caller reads of each is its docstring."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.service = models.service

    def compare(
        self,
        query: str,
        passages: list[str] | None = None,
        retrieve_k: int = 50,
        top_k: int = 5,
        bi_encoder: str | None = None,
        cross_encoder: str | None = None,
    ) -> dict[str, Any]:
        """Rank passages by a bi-encoder, rerank the first of them by a cross-encoder, and say what moved.

        Args:
            query: a question or keywords, 1 to 500 characters.
            passages: up to 100 texts to rank; without any, the page's library.
            retrieve_k: how many candidates the cross-encoder reads (N), 1 to 100.
            top_k: how many are handed on (K), at most N.
            bi_encoder: a name of the page's list; without one, the embedded model.
            cross_encoder: a name of the page's list; without one, the embedded model.

        Returns:
            The pair score trace: both models, timings, and for every candidate its text, cosine, logit, ranks before
            and after, tokens read and cut.
        """
        return said_plainly(
            lambda: self._compare(query, passages, retrieve_k, top_k, bi_encoder, cross_encoder)
        )

    def rerank(
        self,
        query: str,
        candidates: list[str],
        top_k: int = 5,
        cross_encoder: str | None = None,
    ) -> list[dict[str, Any]]:
        """Score each pair of query and candidate with a cross-encoder; the best ones first.

        Args:
            query: a question or keywords, 1 to 500 characters.
            candidates: up to 100 texts.
            top_k: how many are handed on (K).
            cross_encoder: a name of the page's list; without one, the embedded model.

        Returns:
            The best top_k as rank (from 1), index (in candidates, from 0), logit (raw) and text.
        """
        return said_plainly(lambda: self._rerank(query, candidates, top_k, cross_encoder))

    def evaluate(
        self,
        queries: list[str],
        passages: list[str],
        grades: list[list[int | None]],
        retrieve_k: int = 20,
        top_k: int = 5,
        relevant: int = 2,
        bi_encoder: str | None = None,
        cross_encoder: str | None = None,
    ) -> dict[str, Any]:
        """Did reranking help on these judged queries? Means before and after with intervals, wins and losses.

        Args:
            queries: up to 20 texts.
            passages: up to 100 texts, the corpus of all queries.
            grades: for each query a list with a grade for each passage: 0 not relevant to 3 answers, null unjudged.
            retrieve_k: how many candidates the cross-encoder reads (N); queries times N is at most 1,000.
            top_k: the depth of recall (K), at most N.
            relevant: from which grade on a passage counts as relevant.
            bi_encoder: a name of the page's list; without one, the embedded model.
            cross_encoder: a name of the page's list; without one, the embedded model.

        Returns:
            The report: nDCG@10, nDCG@3, MRR and recall before and after, wins, ties, losses, every N from 1, latency.
        """
        return said_plainly(
            lambda: self._evaluate(
                queries, passages, grades, retrieve_k, top_k, relevant, bi_encoder, cross_encoder
            )
        )

    def scenarios(self) -> list[dict[str, Any]]:
        """The library's scenarios: id, title, slice, and each query's id, text and judgements (doc_id to grade)."""
        return [
            {
                "id": s.id,
                "title": s.title,
                "slice": s.slice,
                "queries": [
                    {"id": q.id, "text": q.text, "relevance": dict(q.relevance)} for q in s.queries
                ],
            }
            for s in self.service.library.scenarios
        ]

    def _compare(
        self, query: Any, passages: Any, retrieve_k: Any, top_k: Any, bi: Any, cross: Any
    ) -> dict[str, Any]:
        n = bounded("retrieve_k", retrieve_k, 1, limits.RETRIEVE_K_MAX)
        k = bounded("top_k", top_k, 1, n)
        own = None if passages is None else texts("passages", passages)
        ready = self._ready(bi, cross)
        written = None
        if own is None:
            comparison = ready.engine.compare(query, ready.corpus, n, k)
            written = self.service.written_query(query)
        else:
            corpus = ready.engine.corpus(own)
            retrieved = ready.engine.retrieve(query, corpus, n, use_cache=False)
            comparison = Comparison.of(retrieved, _read(ready.engine, query, retrieved.ranking), k)
        trace = trace_of(
            comparison,
            relevance=written.relevance if written else None,
            query_id=written.id if written else None,
        )
        return trace.model_dump(mode="json")

    def _rerank(self, query: Any, candidates: Any, top_k: Any, cross: Any) -> list[dict[str, Any]]:
        given = texts("candidates", candidates)
        k = bounded("top_k", top_k, 1, limits.API_PASSAGES_MAX)
        ready = self._ready(None, cross)
        passages = [Passage(f"p{i:04d}", text) for i, text in enumerate(given, 1)]
        in_order = Ranking.from_scores(passages, [-float(i) for i in range(len(passages))])
        ranking = _read(ready.engine, query, in_order).ranking.top(k)
        return [
            {
                "rank": row.rank,
                "index": int(row.doc_id[1:]) - 1,
                "logit": row.score,
                "text": row.passage.text,
            }
            for row in ranking
        ]

    def _evaluate(self, queries: Any, passages: Any, grades: Any, *numbers: Any) -> dict[str, Any]:
        retrieve_k, top_k, relevant, bi, cross = numbers
        asked = evaluation(queries, passages, grades, retrieve_k, top_k, relevant)
        engine = self._ready(bi, cross).engine
        report = evaluate_queries(
            engine, asked.passages, asked.queries, asked.qrels, asked.retrieve_k, asked.top_k,
            relevant=asked.relevant, name="a call",
        )  # fmt: skip
        return report.model_dump(mode="json")

    def _ready(self, bi: Any, cross: Any) -> Ready:
        """The pair of models, once it is there; BusyError where that takes longer than a caller waits."""
        choice, asked = checked_choice(bi, cross, None), monotonic()
        for item in self.models.prepare(choice):
            if isinstance(item, Ready):
                return item
            if monotonic() - asked > limits.API_MODEL_WAIT_S:
                raise BusyError(
                    f"{sentence_of(item)} That takes longer than the {limits.API_MODEL_WAIT_S:.0f} s that a call "
                    "waits; choose it on the page once, then call again.",
                    limits.API_MODEL_WAIT_S,
                )
        raise RerankError("The models were not prepared; call again.")


def add_api(models: Models) -> None:
    """Register the endpoints on the Blocks being built."""
    api = Api(models)
    for function in (api.compare, api.rerank, api.evaluate, api.scenarios):
        endpoint(
            function,
            api_name=function.__name__,
            concurrency_limit=limits.API_CONCURRENCY,
            concurrency_id="api",
        )


def said_plainly(answer: Callable[[], T]) -> T:
    """Errors that we raise reach the caller as their sentence; any other as one that gives nothing away."""
    try:
        return answer()
    except Exception as error:
        if isinstance(error, RerankError) and not isinstance(error, ModelError):
            raise gr.Error(str(error), print_exception=False) from None
        log.exception("in an API call")
        raise gr.Error(
            "Something went wrong on our side; the server's log says what.", print_exception=False
        ) from None


def _read(engine: TwoStage, query: str, before: Ranking) -> Reranked:
    """Score a caller's own pairs, with a cache that is gone when the call is."""
    *_, last = engine.rerank_stream(query, before, cache=ScoreCache(len(before) + 1))
    assert isinstance(last, Reranked)  # the stream's last item, by its contract
    return last
