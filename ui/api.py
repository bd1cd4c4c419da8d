"""Named endpoints for gradio_client: /compare, /rerank and /scenarios. Typed, and bounded inside the function.

A caller's own passages are scored with a cache that lives as long as the call: nobody else's answer can hold them.
"""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
from gradio.events import api as endpoint

from rerank_core import limits
from rerank_core.errors import InputError, ModelError, RerankError
from rerank_core.pipeline import Comparison
from rerank_core.records import Passage, Ranking, Reranked
from rerank_core.score_cache import ScoreCache
from rerank_core.trace import trace_of
from ui.service import Service

log = logging.getLogger(__name__)


def add_api(service: Service) -> None:
    """Register the endpoints on the Blocks being built."""

    def compare(
        query: str, passages: list[str] | None = None, retrieve_k: int = 50, top_k: int = 5
    ) -> dict[str, Any]:
        """Rank passages (the library where none are given) by bi-encoder, rerank by cross-encoder.

        Returns the pair score trace: both models, timings, and for every candidate its text, cosine, logit,
        ranks before and after, tokens, cut tokens.
        """
        return said_plainly(lambda: _compare(service, query, passages, retrieve_k, top_k))

    def rerank(query: str, candidates: list[str], top_k: int = 5) -> list[dict[str, Any]]:
        """Score each (query, candidate) pair with the cross-encoder; the best top_k as rank, index, logit, text."""
        return said_plainly(lambda: _rerank(service, query, candidates, top_k))

    def scenarios() -> list[dict[str, Any]]:
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
            for s in service.library.scenarios
        ]

    endpoint(
        compare, api_name="compare", concurrency_limit=limits.API_CONCURRENCY, concurrency_id="api"
    )
    endpoint(
        rerank, api_name="rerank", concurrency_limit=limits.API_CONCURRENCY, concurrency_id="api"
    )
    endpoint(
        scenarios,
        api_name="scenarios",
        concurrency_limit=limits.API_CONCURRENCY,
        concurrency_id="api",
    )


def said_plainly(answer: Any) -> Any:
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


def _compare(
    service: Service, query: Any, passages: Any, retrieve_k: Any, top_k: Any
) -> dict[str, Any]:
    _bounded("retrieve_k", retrieve_k, 1, limits.RETRIEVE_K_MAX)
    _bounded("top_k", top_k, 1, retrieve_k)
    service.wait()
    if passages is None:
        comparison = service.engine.compare(query, service.corpus, retrieve_k, top_k)
    else:
        texts = _texts("passages", passages)
        retrieved = service.engine.retrieve(
            query, service.engine.corpus(texts), retrieve_k, use_cache=False
        )
        comparison = Comparison.of(retrieved, _read(service, query, retrieved.ranking), top_k)
    written = service.written_query(query) if passages is None else None
    trace = trace_of(
        comparison,
        relevance=written.relevance if written else None,
        query_id=written.id if written else None,
    )
    return trace.model_dump(mode="json")


def _rerank(service: Service, query: Any, candidates: Any, top_k: Any) -> list[dict[str, Any]]:
    texts = _texts("candidates", candidates)
    _bounded("top_k", top_k, 1, limits.API_PASSAGES_MAX)
    service.wait()
    passages = [Passage(f"p{i:04d}", text) for i, text in enumerate(texts, 1)]
    in_order = Ranking.from_scores(passages, [-float(i) for i in range(len(passages))])
    ranking = _read(service, query, in_order).ranking.top(top_k)
    return [
        {
            "rank": row.rank,
            "index": int(row.doc_id[1:]) - 1,
            "logit": row.score,
            "text": row.passage.text,
        }
        for row in ranking
    ]


def _read(service: Service, query: str, before: Ranking) -> Reranked:
    """Score a caller's own pairs, with a cache that is gone when the call is."""
    *_, last = service.engine.rerank_stream(query, before, cache=ScoreCache(len(before) + 1))
    assert isinstance(last, Reranked)  # the stream's last item, by its contract
    return last


def _bounded(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} is a whole number from {low} to {high}, not {str(value)[:40]!r}.")


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(t, str) for t in value):
        raise InputError(f"{name} is a list of strings.")
    if len(value) > limits.API_PASSAGES_MAX:
        raise InputError(
            f"{name} holds {len(value)} texts; at most {limits.API_PASSAGES_MAX} a call."
        )
    long = next((i for i, t in enumerate(value) if len(t) > limits.PASSAGE_MAX_CHARS), None)
    if long is not None:
        raise InputError(
            f"{name}[{long}] has {len(value[long])} characters; at most {limits.PASSAGE_MAX_CHARS} each."
        )
    return value
