"""A decorator for a tab's handlers: an error ends one with its sentence, never with a traceback on the page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from ui import views
from ui.asked import said

Handler = Callable[..., Iterator[Any]]


def says_why_in(view: Callable[..., Any]) -> Callable[[Handler], Handler]:
    """For handlers that yield `view`s, which have a field `message`."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                yield view(message=views.message(said(error, handler.__name__)))

        return guarded

    return decorate
