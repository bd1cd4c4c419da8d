"""Models, a collapsed section of a tab: choose the bi-encoder, the cross-encoder, and perhaps a second one.

    parts = build_models(models)                    # inside the tab, where the section is to stand
    parts.by_name["models"]                         # the choice in use, as text, an input of the tab's handlers
    on_new_models(parts, handler, inputs, outputs)  # what the tab does once other models are in use

Each tab has a section of its own (`part` begins the ids of its elements), so that a choice is one tab's of one visitor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from rerank_core.limits import MODEL_NAME_CHARS
from rerank_core.models import BI_ENCODER, CROSS_ENCODER
from ui import models_views as views
from ui.model_choice import EMBEDDED, Choice
from ui.model_service import Models
from ui.models_handlers import BOXES, START, ModelHandlers, ModelsView
from ui.parts import Parts, on


@dataclass(frozen=True)
class ModelParts(Parts):
    """A section's components, and the events after which other models may be in use."""

    changes: list[Any] = field(default_factory=list)


def build_models(models: Models, part: str = "") -> ModelParts:
    """Everything in the section."""
    named: dict[str, Any] = {}
    with gr.Accordion(views.label(Choice()), open=False, elem_id=f"{part}models") as section:
        gr.HTML(views.head(models.settings), elem_id=f"{part}models-head")
        _boxes(named, part, models.settings.any_name)
        named["working"] = gr.HTML("", elem_id=f"{part}models-working")
        named["facts"] = gr.HTML(views.in_use(Choice()), elem_id=f"{part}models-facts")
    named["section"] = section
    # The choice in use: each visitor's own, read strictly whenever it comes back.
    named["models"] = gr.Textbox(EMBEDDED, visible=False)
    return _wired(named, ModelHandlers(models))


def _boxes(named: dict[str, Any], part: str, any_name: bool) -> None:
    boxes = (
        ("bi_encoder", "Bi-encoder", views.choices(BI_ENCODER)),
        ("cross_encoder", "Cross-encoder", views.choices(CROSS_ENCODER)),
        ("second", "A second cross-encoder beside it", [views.NONE, *views.choices(CROSS_ENCODER)]),
    )
    with gr.Row(elem_id=f"{part}models-boxes"):
        for (name, words, choices), value in zip(boxes, START, strict=True):
            with gr.Column(min_width=240):
                at = f"{part}{name.replace('_', '-')}"
                named[name] = gr.Radio(
                    choices, value=value, label=words, interactive=True, elem_id=at
                )
                named[f"other_{name}"] = gr.Textbox(
                    "", label=f"{words}: another name, or a folder", max_lines=1, visible=any_name,
                    max_length=MODEL_NAME_CHARS, interactive=True, elem_id=f"{at}-other",
                )  # fmt: skip
    with gr.Row(elem_id=f"{part}models-buttons"):
        named["use"] = gr.Button(
            "Use these models", size="sm", scale=0, min_width=170, elem_id=f"{part}use-models"
        )
        named["embedded"] = gr.Button(
            "Back to the embedded ones", size="sm", scale=0, min_width=210, visible=False,
            elem_id=f"{part}embedded-models",
        )  # fmt: skip
        named["stop"] = gr.Button(
            "Stop", size="sm", scale=0, min_width=80, visible=False, elem_id=f"{part}stop-models"
        )


def _wired(named: dict[str, Any], handlers: ModelHandlers) -> ModelParts:
    parts = ModelParts(named)
    boxes, all_of = (*BOXES, *(f"other_{name}" for name in BOXES)), ModelsView._fields
    used = on(named["use"].click, handlers.use, parts, boxes, all_of)
    back = on(named["embedded"].click, handlers.to_embedded, parts, (), all_of, cancels=[used])
    on(named["stop"].click, handlers.stop, parts, (), all_of, cancels=[used])
    parts.changes.extend((used, back))
    return parts


def on_new_models(
    section: ModelParts, handler: Callable[..., Any], parts: Parts, inputs: Sequence[str],
    outputs: Sequence[str], cancels: list[Any] | None = None,
) -> None:  # fmt: skip
    """Call `handler` once other models may be in use: it compares, since a choice can also have failed."""
    for event in section.changes:
        on(event.then, handler, parts, inputs, outputs, cancels)
