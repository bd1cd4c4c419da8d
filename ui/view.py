"""View: what one event sets on Explore, by component name; and how an error becomes one sentence in one."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gradio as gr

from rerank_core.errors import ModelError, RerankError
from ui import views
from ui.page_blocks import Last

log = logging.getLogger(__name__)
SKIP = gr.skip()
OURS = "Something went wrong on our side, and the server's log says what. What you typed is kept: try again."


class View(NamedTuple):
    """What one event sets; field names are component names."""

    scenario: Any = SKIP
    query_choice: Any = SKIP
    query: Any = SKIP
    ranked_query: Any = SKIP
    retrieve_k: Any = SKIP
    top_k: Any = SKIP
    message: Any = SKIP
    before: Any = SKIP
    predict: Any = SKIP
    predict_head: Any = SKIP
    will_change: Any = SKIP
    sure: Any = SKIP
    leader: Any = SKIP
    new_in_top3: Any = SKIP
    middle: Any = SKIP
    commit: Any = SKIP
    just_show: Any = SKIP
    lines: Any = SKIP
    next_query: Any = SKIP
    after: Any = SKIP
    third_place: Any = SKIP
    third: Any = SKIP
    two: Any = SKIP
    verdict: Any = SKIP
    bars: Any = SKIP
    costs: Any = SKIP
    lesson: Any = SKIP
    trace: Any = SKIP
    record: Any = SKIP
    record_words: Any = SKIP
    clear_record: Any = SKIP
    # the Models section, which a link sets too
    section: Any = SKIP
    bi_encoder: Any = SKIP
    cross_encoder: Any = SKIP
    second: Any = SKIP
    other_bi_encoder: Any = SKIP
    other_cross_encoder: Any = SKIP
    other_second: Any = SKIP
    use: Any = SKIP
    stop: Any = SKIP
    embedded: Any = SKIP
    working: Any = SKIP
    facts: Any = SKIP
    models: Any = SKIP
    ranked_models: Any = SKIP


class LastView(View, Last):
    """A view after which its handler sets nothing more."""

    __slots__ = ()


def says_why(handler: Callable[..., Iterator[View]]) -> Callable[..., Iterator[View]]:
    """An error ends a handler with one sentence and live buttons, never with a traceback on the page."""

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Iterator[View]:
        try:
            yield from handler(*args, **kwargs)
        except RerankError as error:
            if isinstance(error, ModelError):
                log.exception("in %s", handler.__name__)
            said = OURS if isinstance(error, ModelError) else str(error)
            yield View(message=views.message(said), **buttons(True))
        except Exception:
            log.exception("in %s", handler.__name__)
            yield View(message=views.message(OURS), **buttons(True))

    return guarded


def buttons(live: bool) -> dict[str, Any]:
    """The two buttons of the prediction, on or off."""
    return {"commit": gr.update(interactive=live), "just_show": gr.update(interactive=live)}
