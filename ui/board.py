"""Board, a tab: what reranking did over all judged queries. Builds components and wires them to `BoardTab`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from rerank_core import limits
from ui import board_figures, skip_view
from ui.board_handlers import BoardTab, BoardView, SkipView
from ui.board_source import BoardSource
from ui.parts import Parts
from ui.service import Service
from ui.templates import render


def build_board(
    service: Service, explore: Parts, tab: gr.Tab, source: BoardSource | None = None
) -> Parts:
    """Everything on Board; computed when `tab` is selected, and not before."""
    handlers = BoardTab(source or BoardSource(service))
    named: dict[str, Any] = {}
    with gr.Column(elem_id="board"):
        _figures(named)
        _skip(named)
        named["clicks"] = gr.HTML("", elem_id="board-clicks")
    parts = Parts(named)
    _wire(parts, handlers, explore, tab)
    return parts


def _figures(named: dict[str, Any]) -> None:
    with gr.Row(elem_id="board-source-row"):
        named["source"] = gr.HTML("", elem_id="board-source")
        named["recompute"] = gr.Button("Recompute", elem_id="board-recompute", size="sm", scale=0)
        named["cancel"] = gr.Button("Stop", elem_id="board-stop", size="sm", scale=0, visible=False)
    named["progress"] = gr.HTML("", elem_id="board-progress")
    named["message"] = gr.HTML("", elem_id="board-message")
    with gr.Row(elem_classes="board-controls"):
        named["retrieve_k"] = gr.Slider(
            limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX, limits.RETRIEVE_K_DEFAULT,
            step=1, label="N, the shortlist", info="no model is asked", buttons=[],
            elem_id="board-n", interactive=True,
        )  # fmt: skip
        named["top_k"] = gr.Slider(
            limits.TOP_K_MIN, limits.TOP_K_MAX, limits.TOP_K_DEFAULT,
            step=1, label="K, handed on", info="for “answer in top K”", buttons=[],
            elem_id="board-k", interactive=True,
        )  # fmt: skip
    with gr.Row(elem_id="board-top"):
        with gr.Column(min_width=300):
            named["head"] = gr.HTML("", elem_id="board-head")
        with gr.Column(min_width=300, scale=2):
            named["lifts"] = gr.Plot(
                board_figures.lifts([]),
                show_label=False,
                container=False,
                elem_id="board-lifts",
                elem_classes="evidence-plot",
            )
    named["table"] = gr.HTML("", elem_id="board-table")
    named["hurts"] = gr.HTML("", elem_id="board-hurts")


def _skip(named: dict[str, Any]) -> None:
    gr.HTML(render("board_skip_head"), elem_id="board-skip-head")
    with gr.Row(elem_id="board-skip"):
        with gr.Column(min_width=300):
            with gr.Row(elem_classes="board-controls"):
                named["t"] = gr.Slider(
                    0, skip_view.T_MAX, 0.05, step=0.005, label="t, the margin",
                    info="rank 1 minus rank 2, cosine", buttons=[], elem_id="board-t", interactive=True,
                )  # fmt: skip
            named["skip_words"] = gr.HTML("", elem_id="board-skip-words")
            named["skip_table"] = gr.HTML("", elem_id="board-skip-table")
        with gr.Column(min_width=300, scale=2):
            named["skip_curve"] = gr.Plot(
                board_figures.skips([], [], None),
                show_label=False, container=False, elem_id="board-skips",
                elem_classes="evidence-plot",
            )  # fmt: skip


def _wire(parts: Parts, handlers: BoardTab, explore: Parts, tab: gr.Tab) -> None:
    named = parts.by_name
    asked = explore.of(("scenario", "query"))
    here = [*asked, *parts.of(("retrieve_k", "top_k"))]
    board, skip = parts.of(BoardView._fields), parts.of(SkipView._fields)
    rule = parts.of(("retrieve_k", "t"))
    opened = _on(
        tab.select, handlers.open, explore.of(("scenario", "query", "retrieve_k", "top_k")), board
    )
    _on(opened.success, handlers.skip, rule, skip)
    for name in ("retrieve_k", "top_k"):
        _on(named[name].input, handlers.turn, here, board, latest=True)
    for name in ("retrieve_k", "t"):
        _on(named[name].input, handlers.skip, rule, skip, latest=True)
    running = _on(named["recompute"].click, handlers.recompute, here, board)
    _on(running.success, handlers.skip, rule, skip)
    _on(named["cancel"].click, handlers.stop, [], board, cancels=[running])


def _on(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    cancels: list[Any] | None = None,
    latest: bool = False,
) -> Any:
    """Join an event to a handler; as quiet as Explore's."""
    return event(
        handler,
        inputs=list(inputs),
        outputs=list(outputs),
        cancels=cancels,
        trigger_mode="always_last" if latest else None,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=limits.PAGE_CONCURRENCY,
        concurrency_id="page",
    )
