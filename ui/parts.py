"""Components by name, and how an event is joined to a handler: what every part of the page does alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rerank_core import limits


@dataclass(frozen=True)
class Parts:
    """The components of one part of the page, by name."""

    by_name: dict[str, Any]

    def of(self, names: Sequence[str]) -> list[Any]:
        return [self.by_name[name] for name in names]


def on(
    event: Callable[..., Any],
    handler: Callable[..., Any] | None,
    parts: Parts,
    inputs: Sequence[str],
    outputs: Sequence[str],
    cancels: list[Any] | None = None,
    latest: bool = False,
    **more: Any,
) -> Any:
    """Join an event to a handler by the names of its inputs and outputs.

    With `latest`, of many events while one is handled only the last counts. `more` goes to Gradio as it is.
    """
    return event(
        handler,
        inputs=parts.of(inputs),
        outputs=parts.of(outputs),
        cancels=cancels,
        trigger_mode="always_last" if latest else None,
        show_progress="hidden",
        api_visibility="private",
        concurrency_limit=limits.PAGE_CONCURRENCY,
        concurrency_id="page",
        **more,
    )
