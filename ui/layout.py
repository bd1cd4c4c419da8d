"""build_app(): the page's table of contents."""

from __future__ import annotations

import os

import gradio as gr

from rerank_core import limits
from ui import views
from ui.api import add_api
from ui.board import build_board
from ui.cost import build_cost
from ui.depth import build_depth
from ui.desk import Desk
from ui.explore import build_explore
from ui.fool import build_fool
from ui.handlers import Explore
from ui.model_service import Models
from ui.model_settings import model_settings
from ui.own import build_own
from ui.page_blocks import PageBlocks
from ui.pools import Pools
from ui.scores import build_scores
from ui.service import Service
from ui.stored import StoredBoard
from ui.templates import text_file
from ui.view import View

TITLE = "Two ways to rank"


def build_app(service: Service, base: str = "", models: Models | None = None) -> gr.Blocks:
    """The whole page over `service`. `base` is the address that copied links begin with (a Space's own), or "";
    `models` are those that visitors may choose, by default what the operator's settings permit."""
    models = models or Models(service, model_settings(os.environ))
    handlers = Explore(service, models)
    pools, stored = Pools(service), StoredBoard(service)
    desk = Desk(service)
    # delete_cache: an upload that no handler came to read (each deletes its own) goes in time.
    age = (limits.UPLOAD_AGE_S // 10, limits.UPLOAD_AGE_S)
    with PageBlocks(title=TITLE, analytics_enabled=False, delete_cache=age) as app:
        gr.HTML(views.header(base), elem_id="top")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Explore", id="explore"):
                explore = build_explore(handlers)
            with gr.Tab("Depth", id="depth") as depth:
                build_depth(service, explore, depth, pools, stored)
            with gr.Tab("Scores", id="scores") as scores:
                build_scores(service, explore, scores, pools, stored)
            with gr.Tab("Board", id="board") as board:
                build_board(service, explore, board)
            with gr.Tab("Cost", id="cost") as cost:
                build_cost(service, explore, cost)
            with gr.Tab("Your own", id="own"):
                build_own(desk)
            with gr.Tab("Fool it", id="fool-it") as fool:
                build_fool(service, explore, fool)
        gr.Markdown(text_file("footer"), elem_id="about")
        add_api(models)
        app.load(
            handlers.load,
            inputs=explore.of(("record",)),
            outputs=explore.of(View._fields),
            show_progress="hidden",
            api_visibility="private",
            concurrency_limit=limits.PAGE_CONCURRENCY,
            concurrency_id="page",
        )
    # status_update_rate: the default broadcast grows with the square of those waiting.
    return app.queue(
        status_update_rate=1,
        api_open=False,
        max_size=limits.QUEUE_SIZE,
        default_concurrency_limit=limits.PAGE_CONCURRENCY,
    )
