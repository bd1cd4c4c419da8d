"""gr.Blocks made fit for many visitors: what an event leaves as it is costs nothing.

An event names every component that it may set, and most of its answers set a few. For each of the others Gradio builds
the component anew and its configuration too, only to say that nothing changed: .6 ms each, 27 ms for one answer of
Explore, while no other visitor's answer can be built. Here that is said at once, and so is what needs no component to
be worked out: HTML, and whether something is visible or live.

Nor is anything else of what visitors are shown or send kept in Gradio's sessions, which hold a second copy of every
component's configuration for addresses that restore a page. This page makes none of those; making the copy took 35 ms a
visitor, and it would outlive what a visitor forgot.

And a handler that has its whole answer ready yields it as a `Last`: Gradio then sends it once. After any other yield it
asks the handler again, and sends the last answer a second time to say that it was the last.
"""

from __future__ import annotations

import copy
from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

NOTHING = gr.skip()
PLAIN = frozenset({*NOTHING, "visible", "interactive"})
"""Keys of an update that stay as they are on the way to the browser."""


class Last:
    """Mixed into the type of an answer after which the handler has nothing more to say."""


class PageConfig(BlocksConfig):
    """What the page consists of; a session's copy of it says nothing of values."""

    def __copy__(self) -> BlocksConfig:
        of_session: BlocksConfig = super().__copy__()  # type: ignore[no-untyped-call]
        of_session.__class__ = SessionConfig
        return of_session


class SessionConfig(BlocksConfig):
    """What the page consists of, for one session."""

    @staticmethod
    def config_for_block(*_: Any) -> dict[str, Any]:
        return {}


class PageBlocks(gr.Blocks):
    """As gr.Blocks; the methods after the first are those that answer one event."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.default_config.__class__ = PageConfig

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """An answer as the browser gets it, a value for each output."""
        n = len(block_fn.outputs)
        if (
            block_fn.batch
            or n < 2
            or not isinstance(predictions, (list, tuple))
            or len(predictions) != n
        ):
            return await super().postprocess_data(block_fn, predictions, state)
        left = [
            i for i, block in enumerate(block_fn.outputs) if not _is_plain(block, predictions[i])
        ]
        answer = list(predictions)
        if left:
            few = copy.copy(block_fn)
            few.outputs = [block_fn.outputs[i] for i in left]
            values = [predictions[i] for i in left]
            # Gradio takes the answer for a single output bare.
            given = values if len(values) > 1 else values[0]
            worked_out = await super().postprocess_data(few, given, state)
            for i, value in zip(left, worked_out, strict=True):
                answer[i] = value
        return answer

    async def call_function(
        self, block_fn: Any, processed_input: Any, iterator: Any = None, *more: Any, **named: Any
    ) -> Any:
        """A handler's next answer."""
        result = await super().call_function(block_fn, processed_input, iterator, *more, **named)
        if iterator is None and isinstance(result["prediction"], Last):
            result.update(is_generating=False, iterator=None)
        return result


def _is_plain(block: Any, value: Any) -> bool:
    if type(block) is gr.HTML:
        return isinstance(value, str) or value == NOTHING
    return (
        isinstance(value, dict)
        and value.get("__type__") == NOTHING["__type__"]
        and value.keys() <= PLAIN
        and None not in value.values()
    )
