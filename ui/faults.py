"""A decorator for a tab's handlers: an error ends one with its sentence, never with a traceback on the page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from ui import views
from ui.asked import said

Handler = Callable[..., Iterator[Any]]


def says_why_in(
    view: Callable[..., Any],
    explain: Callable[[Exception, str], str] = said,
    field: str = "message",
    after: Callable[[], dict[str, Any]] = dict,
) -> Callable[[Handler], Handler]:
    """For handlers that yield `view`s: the sentence that `explain` gives goes into the component `field`.

    `after` says what else an error leaves behind, such as live buttons.
    """

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                yield view(**{field: views.message(explain(error, handler.__name__)), **after()})

        return guarded

    return decorate
