"""The Models section: which models are in use and what is known of them. Records -> escaped HTML."""

from __future__ import annotations

from typing import Any

from rerank_core.models import (
    BI_ENCODER,
    CROSS_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    KNOWN,
    Known,
    known_names,
)
from ui.model_choice import Choice
from ui.model_jobs import Step
from ui.model_settings import ModelSettings
from ui.templates import render, text_file
from ui.views import short
from ui.words import joined

NONE = ("none", "")
"""The choice of no second cross-encoder."""


def choices(kind: str) -> list[tuple[str, str]]:
    """The list as the section shows it: what is shown, and the name; the embedded model first."""
    return [(f"{short(n)} (embedded)" if KNOWN[n].embedded else n, n) for n in known_names(kind)]


def label(choice: Choice) -> str:
    """The section's heading, which says while it is closed what is in use."""
    second = f", compared with {short(choice.second)}" if choice.second else ""
    return f"Models: {short(choice.bi_encoder)}, then {short(choice.cross_encoder)}{second}"


def head(settings: ModelSettings) -> str:
    """What choosing means here, and what the operator permits."""
    return render(
        "models_head", words=text_file("models"), hub=settings.hub, any_name=settings.any_name
    )


def in_use(choice: Choice) -> str:
    """A table of the models in use, and what a link cannot say of them."""
    rows = [_row(choice.bi_encoder, BI_ENCODER), _row(choice.cross_encoder, CROSS_ENCODER)]
    if choice.second:
        rows.append(_row(choice.second, CROSS_ENCODER))
    off = [short(name) for name in choice.off_list()]
    return render(
        "models_in_use",
        rows=rows,
        link=f"A copied link opens without {joined(off)}: links name models of the list only."
        if off
        else "",
    )


def working(step: Step) -> str:
    """How far fetching, loading or encoding is."""
    unit = "MiB" if step.sentence.startswith("Fetching") else "passages"
    known = f": {step.done:,} of {step.total:,} {unit}" if step.total else ""
    return render(
        "models_working", sentence=f"{step.sentence}{known}.", done=step.done, total=step.total
    )


def sentence_of(step: Step) -> str:
    """The same in words alone."""
    share = f" ({100 * step.done // step.total} %)" if step.total else ""
    return f"{step.sentence}{share} …"


def fault(sentence: str) -> str:
    """Why the choice could not be made; what was in use stays."""
    return render("message", sentence=f"{sentence} The models in use stay in use.")


def _row(name: str, kind: str) -> dict[str, Any]:
    known = KNOWN.get(name) or Known(name, kind, "unknown")
    prompts = [
        f"“{prompt.strip()}” before a {what}"
        for prompt, what in ((known.query_prompt, "query"), (known.passage_prompt, "passage"))
        if prompt
    ]
    return {
        "kind": kind,
        "name": name,
        "licence": known.licence,
        "revision": "in this project" if known.embedded else (known.revision or "")[:8] or "not pinned",
        "prompts": "; ".join(prompts) or "none",
        "probability": "–" if kind == BI_ENCODER else "calibrated" if name == EMBEDDED_CROSS_ENCODER
        else "not calibrated: no probability shown",
    }  # fmt: skip
