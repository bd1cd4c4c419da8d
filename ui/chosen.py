"""What Explore does with a choice of models: opens a link's, makes a pair ready, reads the third list.

Left out: choosing (models_handlers.py), and what the embedded pair does alike (handlers.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rerank_core.errors import RerankError
from rerank_core.models import KNOWN
from rerank_core.pipeline import Comparison
from rerank_core.records import Reranked
from ui import third, views
from ui.asked import said
from ui.links import Link
from ui.model_choice import Choice
from ui.model_service import Models, Ready
from ui.models_handlers import in_use, offered, set_by
from ui.models_views import sentence_of
from ui.view import View
from ui.words import joined


def opened(models: Models, link: Link) -> tuple[Link, dict[str, Any]]:
    """The link as it opens, and what its models set in the section.

    Opening a link fetches nothing: where its models are not on this machine it opens with the embedded ones, and the
    section offers the others.
    """
    if link.choice == Choice():
        return link, {}
    if models.at_hand(link.choice):
        return link, set_by(in_use(link.choice))
    names = joined([name for name in link.choice.names if not KNOWN[name].embedded])
    note = f"The link names {names}, not all of which are on this machine; press Use these models to fetch them."
    return replace(link, choice=Choice(), notes=(*link.notes, note)), set_by(offered(link.choice))


def ready_pair(models: Models, choice: Choice) -> Generator[View, None, Ready]:
    """Views that say how far the choice's pair is; returns the pair."""
    for item in models.prepare(choice.pair):
        if isinstance(item, Ready):
            return item
        yield View(message=views.note(sentence_of(item)))
    raise RerankError("The models were not prepared; choose them again under Models.")


def second_list(
    models: Models,
    link: Link,
    first: Comparison,
    relevance: Mapping[str, int] | None,
    visitor: str | None,
) -> Iterator[View]:
    """The third list, by the second cross-encoder over the candidates of `first`; a fault stays in its column."""
    n, name = len(first.before), link.choice.second
    try:
        ready = yield from ready_pair(models, Choice(link.choice.bi_encoder, name))
        for item in ready.engine.rerank_stream(first.query, first.before, visitor=visitor):
            if isinstance(item, Reranked):
                second = Comparison.of(first.retrieved, item, link.top_k)
                yield View(message=views.message(""), **third.revealed(first, second, relevance))
            else:
                yield View(**third.waiting(name, n, item))
    except Exception as error:
        yield View(message=views.message(""), **third.failed(said(error, "second_list")))
