"""Cost, a tab: what a query costs as a corpus grows. Builds components and wires them to `CostTab`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import cost_figures
from ui.cost_handlers import CostTab, CostView
from ui.parts import Parts
from ui.service import Service


def build_cost(
    service: Service, explore: Parts, tab: gr.Tab, handlers: CostTab | None = None
) -> Parts:
    """Everything on Cost; measured when `tab` is first selected, and not before."""
    handlers = handlers or CostTab(service)
    named: dict[str, Any] = {}
    with gr.Column(elem_id="cost"):
        named["head"] = gr.HTML("", elem_id="cost-head")
        named["message"] = gr.HTML("", elem_id="cost-message")
        with gr.Row(elem_classes="board-controls"):
            named["retrieve_k"] = gr.Slider(
                limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX, limits.RETRIEVE_K_DEFAULT,
                step=1, label="N, the shortlist", info="no model is asked", buttons=[],
                elem_id="cost-n", interactive=True,
            )  # fmt: skip
            named["again"] = gr.Button("Measure again", elem_id="cost-again", size="sm", scale=0)
        named["by_size"] = gr.Plot(
            cost_figures.by_size([], 0, 1),
            show_label=False, container=False, elem_id="cost-by-size",
                elem_classes="evidence-plot",
        )  # fmt: skip
        named["table"] = gr.HTML("", elem_id="cost-table")
        named["ratios"] = gr.HTML("", elem_id="cost-ratios")
    parts = Parts(named)
    outputs = parts.of(CostView._fields)
    here = [*explore.of(("query",)), *parts.of(("retrieve_k",))]
    _on(tab.select, handlers.open, explore.of(("query", "retrieve_k")), outputs)
    _on(named["retrieve_k"].input, handlers.turn, here, outputs, latest=True)
    _on(named["again"].click, handlers.again, here, outputs)
    return parts


def _on(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    latest: bool = False,
) -> Any:
    return event(
        handler,
        inputs=list(inputs),
        outputs=list(outputs),
        trigger_mode="always_last" if latest else None,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=limits.PAGE_CONCURRENCY,
        concurrency_id="page",
    )
