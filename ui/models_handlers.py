"""What happens in a Models section: names in, a ModelsView out. The choice itself lives in the visitor's page.

Left out: what is done with the models (handlers.py), and components (models.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from rerank_core.models import EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER, KNOWN
from ui import models_views as views
from ui.asked import said
from ui.model_choice import Choice, checked_choice, read_choice
from ui.model_jobs import Step
from ui.model_service import Models
from ui.view import SKIP


class ModelsView(NamedTuple):
    """What one event sets in the section; field names are component names."""

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


class ModelHandlers:
    """The handlers of a Models section, over the page's Models."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def use(
        self,
        bi_encoder: Any,
        cross_encoder: Any,
        second: Any,
        other_bi_encoder: Any = "",
        other_cross_encoder: Any = "",
        other_second: Any = "",
    ) -> Iterator[ModelsView]:
        """Fetch and load what was chosen, and take it into use once all of it is there.

        A name that was typed (`other_...`) counts instead of the one that was marked.
        """
        try:
            choice = checked_choice(
                other_bi_encoder or bi_encoder,
                other_cross_encoder or cross_encoder,
                other_second or second,
                any_name=self.models.settings.any_name,
            )
            pairs = [
                choice.pair,
                *([Choice(choice.bi_encoder, choice.second)] if choice.second else []),
            ]
            for pair in pairs:
                for item in self.models.prepare(pair):
                    if isinstance(item, Step):
                        yield _at_work(item)
        except Exception as error:
            yield _at_rest()._replace(working=views.fault(said(error, "use")))
        else:
            yield in_use(choice)

    def stop(self) -> ModelsView:
        """The visitor will not wait; what was in use stays."""
        return _at_rest()

    def to_embedded(self) -> ModelsView:
        """Back to the models that the page opens with."""
        return in_use(Choice())


def in_use(choice: Choice) -> ModelsView:
    """The choice is in use, and the section shows it."""
    return _at_rest()._replace(
        section=gr.update(label=views.label(choice)),
        **boxes(choice),
        embedded=gr.update(visible=choice != Choice()),
        facts=views.in_use(choice),
        models=choice.text,
    )


def offered(choice: Choice) -> ModelsView:
    """A link names models that are not here: they stand in the boxes, and the button fetches them."""
    return ModelsView(
        section=gr.update(open=True),
        **boxes(choice),
    )


def boxes(choice: Choice) -> dict[str, Any]:
    """What the section's boxes show of a choice: a name of the list is marked, any other stands as it was typed."""
    shown: dict[str, Any] = {}
    for box, name in zip(
        BOXES, (choice.bi_encoder, choice.cross_encoder, choice.second), strict=True
    ):
        listed = name in KNOWN or not name
        shown[box] = name if listed else None
        shown[f"other_{box}"] = "" if listed else name
    return shown


def set_by(view: ModelsView) -> dict[str, Any]:
    """What a view sets, by component name: for a View that sets other things, too."""
    return {name: value for name, value in view._asdict().items() if value is not SKIP}


def read_in_use(text: Any, models: Models) -> Choice:
    """The choice that a page sent, held to what is permitted; InputError otherwise."""
    return read_choice(text, any_name=models.settings.any_name)


def _at_work(step: Step) -> ModelsView:
    return ModelsView(
        use=gr.update(interactive=False), stop=gr.update(visible=True), working=views.working(step)
    )


def _at_rest() -> ModelsView:
    return ModelsView(use=gr.update(interactive=True), stop=gr.update(visible=False), working="")


BOXES = ("bi_encoder", "cross_encoder", "second")
START = (EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER, "")
"""What the three boxes show when the page opens."""
