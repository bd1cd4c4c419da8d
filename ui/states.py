"""The states of Explore as Views: ranked, reading, revealed. One function each, from records to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from rerank_core import limits
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Prediction, Round, add_round, judge
from rerank_core.records import Progress, Retrieved
from rerank_core.scenarios import Query
from rerank_core.trace import trace_of
from ui import figures, results, views
from ui.costs import costs
from ui.lesson import lesson
from ui.links import Link
from ui.predictions import round_key, rounds_to, to_round
from ui.service import Service
from ui.trace_table import trace_table
from ui.view import SKIP, View, buttons


def inputs(service: Service, link: Link) -> View:
    """What the controls show for a link."""
    scenario = service.library.scenario(link.scenario)
    return View(
        scenario=link.scenario,
        query_choice=gr.update(
            choices=[(q.text, q.id) for q in scenario.queries],
            value=link.query_id if any(q.id == link.query_id for q in scenario.queries) else None,
        ),
        query=link.query,
        ranked_query=link.query,
        retrieve_k=link.retrieve_k,
        top_k=link.top_k,
    )


def ranked(service: Service, link: Link, retrieved: Retrieved) -> View:
    """Stage one has run; nothing is predicted yet and nothing revealed."""
    n = len(retrieved.ranking)
    leaders = [(str(r), r) for r in range(2, min(n, views.SHOWN) + 1)]
    return inputs(service, link)._replace(
        message=views.message(""),
        before=views.ranking_before(retrieved, top_k=link.top_k, link=link.to_query_string()),
        predict=gr.update(visible=True),
        predict_head=views.predict_head(_question(service, link)),
        will_change=gr.update(value=None, interactive=True),
        sure=gr.update(value=75, interactive=True),
        leader=gr.update(choices=[*leaders, ("below", 0)], value=None, interactive=True),
        new_in_top3=gr.update(value=None, interactive=True),
        middle=gr.update(value=None, interactive=True),
        lines=gr.update(visible=False),
        next_query=gr.update(visible=False),
        after=views.waiting(n),
        verdict="",
        bars=figures.latency_bars(retrieved.timings),
        costs=_costs(service, retrieved.timings, retrieved),
        lesson="",
        trace="",
        **buttons(n > 0),
    )


def reading(n: int) -> View:
    """The prediction is locked, the pairs are being read."""
    locked = gr.update(interactive=False)
    return View(
        message=views.message(""),
        will_change=locked,
        sure=locked,
        leader=locked,
        new_in_top3=locked,
        middle=locked,
        after=views.waiting(n, Progress(0, n)),
        **buttons(False),
    )


def revealed(
    service: Service,
    link: Link,
    comparison: Comparison,
    prediction: Prediction | None,
    rounds: Sequence[Round],
) -> View:
    """Both stages have run: the second list, what moved, lift, cost, lesson, trace; the prediction is scored."""
    query: Query | None = service.written_query(link.query)
    relevance = query.relevance if query else None
    judged = prediction and judge(prediction, comparison.before, comparison.after, views.SHOWN)
    counted = False
    if judged:
        rounds, counted = add_round(rounds, to_round(round_key(link), judged), limits.ROUNDS_KEPT)
    trace = trace_of(
        comparison,
        relevance=relevance,
        prediction=prediction,
        scenario=link.scenario,
        query_id=query.id if query else None,
    )
    return View(
        before=views.ranking_before(
            comparison.retrieved, top_k=link.top_k, link=link.to_query_string(),
            after=comparison.after, relevance=relevance,
        ),
        predict=gr.update(visible=False),
        lines=gr.update(visible=True),
        next_query=gr.update(visible=True),
        after=views.ranking_after(comparison, relevance=relevance),
        verdict=results.verdict(comparison, relevance=relevance, judged=judged or None, counted=counted),
        bars=figures.latency_bars(comparison.timings),
        costs=_costs(service, comparison.timings, comparison.retrieved),
        lesson=lesson(service.library.scenario(link.scenario), query, comparison),
        trace=trace_table(comparison, trace, relevance),
        record=rounds_to(rounds) if counted else SKIP,
        record_words=results.record(rounds),
        clear_record=gr.update(visible=bool(rounds)),
    )  # fmt: skip


def _question(service: Service, link: Link) -> str:
    written = service.written_query(link.query)
    return written.predict if written else ""


def _costs(service: Service, timings: Any, retrieved: Retrieved) -> str:
    return costs(
        timings,
        corpus_size=retrieved.corpus_size,
        load_ms=service.load_ms,
        index_ms=service.index_ms,
    )
