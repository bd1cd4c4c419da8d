"""The states of Explore as Views: what compare_states.py shows of every comparison, and what is Explore's alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import gradio as gr

from rerank_core import limits
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Prediction, Round, add_round, judge
from rerank_core.records import Retrieved
from rerank_core.scenarios import Query
from rerank_core.trace import trace_of
from ui import compare_states, results, third
from ui.compare_states import Setting
from ui.lesson import lesson
from ui.links import Link
from ui.model_service import Ready
from ui.predictions import round_key, rounds_to, to_round
from ui.rows import SHOWN
from ui.service import Service
from ui.view import SKIP, View


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
        models=link.choice.text,
        ranked_models=link.choice.text,
    )


def setting(service: Service, link: Link, ready: Ready) -> Setting:
    """What is known around a link's query: the address, and what its author asked and judged.

    Only of a written query is anything kept for others: what a visitor typed is theirs.
    """
    written = service.written_query(link.query)
    return Setting(
        top_k=link.top_k,
        link=link.to_query_string(),
        question=written.predict if written else "",
        relevance=written.relevance if written else None,
        load_ms=ready.load_ms,
        index_ms=ready.index_ms,
        kept=service.kept if written else None,
    )


def ranked(service: Service, link: Link, retrieved: Retrieved, ready: Ready) -> View:
    """Stage one has run; nothing is predicted yet and nothing revealed."""
    return inputs(service, link)._replace(
        **compare_states.ranked(setting(service, link, ready), retrieved),
        **third.waiting(link.choice.second, len(retrieved.ranking)),
        next_query=gr.update(visible=False),
        lesson="",
    )


def revealed(
    service: Service,
    link: Link,
    comparison: Comparison,
    prediction: Prediction | None,
    rounds: Sequence[Round],
    ready: Ready,
) -> View:
    """Both stages have run: everything about the comparison, the lesson, and the record."""
    query: Query | None = service.written_query(link.query)
    judged = prediction and judge(prediction, comparison.before, comparison.after, SHOWN)
    counted = False
    if judged:
        rounds, counted = add_round(rounds, to_round(round_key(link), judged), limits.ROUNDS_KEPT)
    trace = trace_of(
        comparison,
        relevance=query.relevance if query else None,
        prediction=prediction,
        scenario=link.scenario,
        query_id=query.id if query else None,
    )
    here = setting(service, link, ready)
    words = partial(lesson, service.library.scenario(link.scenario), query, comparison)
    return View(
        **compare_states.revealed(here, comparison, trace, judged or None, counted),
        next_query=gr.update(visible=True),
        lesson=here.once("lesson", (link.scenario, *compare_states.of_both(comparison)), words),
        record=rounds_to(rounds) if counted else SKIP,
        record_words=results.record(rounds),
        clear_record=gr.update(visible=bool(rounds)),
    )
