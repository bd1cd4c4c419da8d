"""Your own, one of the page's tabs: a visitor's passages, asked, predicted, judged, and taken away as a scenario.

A table of contents, and the wiring: components in own_parts.py, handlers in own_intake.py, own_lists.py, own_take.py
and own_set.py.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import compare, own_parts, own_views
from ui.compare import PREDICTION
from ui.desk import Desk
from ui.own_intake import OwnIntake
from ui.own_lists import OwnLists
from ui.own_set import OwnSet
from ui.own_take import OwnTake
from ui.own_view import PART, OwnView
from ui.parts import Parts, on

INTAKE = ("box", "kind", "column", "draft", "token", "fingerprint")
ASKED = ("token", "query", "retrieve_k", "top_k")


def build_own(desk: Desk) -> Parts:
    """Everything on Your own, in the order in which a visitor meets it."""
    take = OwnTake(desk)
    named: dict[str, Any] = {}
    gr.HTML(own_views.head(), elem_id="own-head")
    own_parts.intake(named)
    with gr.Column(elem_id="own-area", visible=False) as area:
        own_parts.asking(named)
        compare.lists(
            named, "Ask something of your passages: the first ranking appears here.", PART
        )
        own_parts.judging(named)
        named["verdict"] = gr.HTML("", elem_id="own-verdict")
        named["depth"] = gr.HTML("", elem_id="own-depth")
        compare.costs(named, PART)
        named["trace"] = gr.HTML("", elem_id="own-trace")
        own_parts.taking(named, take.zip)
    named["area"] = area
    own_parts.whole_set(named)
    parts = Parts(named)
    _wire_intake(parts, OwnIntake(desk))
    _wire_lists(parts, OwnLists(desk))
    opened = OwnSet(desk).open
    _on(parts, named["set_file"].upload, opened, ("set_file",), preprocess=False)
    _on(
        parts,
        named["check"].click,
        take.check,
        ("token", "marks", "title", "lesson", "note", "must_hold"),
    )
    return parts


def _wire_intake(parts: Parts, handlers: OwnIntake) -> None:
    named = parts.by_name
    # preprocess=False: Gradio would leave an empty file behind for each upload.
    runs = [
        _on(
            parts,
            named["file"].upload,
            handlers.upload,
            ("file", "kind", "token"),
            preprocess=False,
        ),
        _on(parts, named["encode"].click, handlers.encode, INTAKE),
        _on(parts, named["split"].click, handlers.split, INTAKE),
    ]
    # The page's script empties `draft` where the box is written in.
    _on(parts, named["draft"].input, handlers.box_again, (), latest=True)
    _on(parts, named["stop"].click, handlers.stop, (), cancels=runs)
    _on(parts, named["forget"].click, handlers.forget, ("token", "draft"), cancels=runs)


def _wire_lists(parts: Parts, handlers: OwnLists) -> None:
    named = parts.by_name
    locked = (*ASKED, "ranked_query", "marks")
    revealing = [
        _on(parts, named["commit"].click, handlers.commit, (*locked, *PREDICTION)),
        _on(parts, named["just_show"].click, handlers.just_show, locked),
    ]
    _on(parts, named["query"].submit, handlers.rank, ASKED, cancels=revealing)
    _on(parts, named["rank"].click, handlers.rank, ASKED, cancels=revealing)
    for name in ("retrieve_k", "top_k"):
        _on(parts, named[name].input, handlers.rank, ASKED, cancels=revealing, latest=True)
    chosen = ("token", "query_choice", "retrieve_k", "top_k")
    _on(parts, named["query_choice"].input, handlers.choose, chosen, cancels=revealing)
    marked = ("token", "ranked_query", "top_k", "marks")
    _on(parts, named["marks"].input, handlers.mark, marked, latest=True)
    _on(parts, named["judge"].click, handlers.judging, ("token", "ranked_query"))


def _on(parts: Parts, event: Any, handler: Any, inputs: tuple[str, ...], **more: Any) -> Any:
    """Outputs are always the OwnView."""
    return on(event, handler, parts, inputs, OwnView._fields, **more)
