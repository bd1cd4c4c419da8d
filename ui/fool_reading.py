"""A query and a few texts of a visitor's, read by both models of the page's engine, in turns with everybody else.

What a visitor wrote is in no cache that another's answer could come from: scores go into a ScoreCache of one call, and
only a query of the library's has its vector kept. A right passage of the library under a query of the library is
public, and read from the page's own cache. Left out: what is said of the readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from rerank_core import limits
from rerank_core.duel import Reading
from rerank_core.errors import InputError
from rerank_core.inputs import clean_query
from rerank_core.metrics import RELEVANT
from rerank_core.records import Passage, Progress, Ranking, Reranked
from rerank_core.scenarios import Query
from rerank_core.score_cache import ScoreCache
from ui.service import Service

Readings = dict[str, Reading]


class Referee:
    """Over one Service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def stream(
        self, query: str, texts: Mapping[str, str], visitor: str | None
    ) -> Iterator[Progress | Readings]:
        """Progress while pairs are read, and last a Reading for each key of `texts`.

        Closing the iterator leaves: pairs that wait for their turn are then not read. Raises InputError for a query
        out of bounds, BusyError and what the models raise.
        """
        query = clean_query(query)
        self.service.wait()
        engine = self.service.engine
        public = {key for key, text in texts.items() if self._is_public(query, text)}
        passages = [Passage(key, text) for key, text in texts.items()]
        found = engine.retrieve(
            query,
            engine.corpus(passages),
            max(len(passages), 1),
            use_cache=self.service.written_query(query) is not None,
            tail=0,
        ).ranking
        cosines = {row.doc_id: row.score for row in found}
        readings: Readings = {}
        for part, cache in (
            ([p for p in passages if p.doc_id in public], None),
            ([p for p in passages if p.doc_id not in public], ScoreCache(max(len(passages), 1))),
        ):
            if not part:
                continue
            ranking = Ranking.from_scores(part, [0.0] * len(part))
            for item in engine.rerank_stream(query, ranking, visitor=visitor, cache=cache):
                if isinstance(item, Reranked):
                    readings |= {
                        pair.doc_id: Reading.of(cosines[pair.doc_id], pair, item.model)
                        for pair in item.pairs
                    }
                else:
                    yield item
        yield readings

    @property
    def weights(self) -> str:
        """Names the weights of both models in use, for what is kept beyond a visit."""
        cards = (self.service.engine.encoder_card, self.service.engine.scorer_card)
        return " ".join(card.model_hash[:12] for card in cards)

    def right_ones(self, query: str) -> tuple[Passage, ...]:
        """The passages that answer a query of the library, the best grade first; none for any other query."""
        written = self.service.written_query(query)
        if written is None:
            return ()
        graded = [(grade, doc_id) for doc_id, grade in written.relevance.items()]
        order = sorted((-grade, doc_id) for grade, doc_id in graded if grade >= RELEVANT)
        return tuple(self._passages[doc_id] for _, doc_id in order)

    def grade(self, query: str, text: str) -> int | None:
        """The library's grade of a text under its own query; None where it has none."""
        written = self.service.written_query(query)
        ids = self._by_text.get(text.strip(), ())
        grades = [written.relevance[i] for i in ids if i in written.relevance] if written else []
        return max(grades, default=None)

    def next_query(self, query: str) -> Query:
        """The library's query after this one, in the page's order; its first after any other text."""
        queries = [q for scenario in self.service.scenarios for q in scenario.queries]
        written = self.service.written_query(query)
        at = queries.index(written) + 1 if written in queries else 0
        return queries[at % len(queries)]

    @cached_property
    def _passages(self) -> Mapping[str, Passage]:
        return {p.doc_id: p for p in self.service.library.passages}

    @cached_property
    def _by_text(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for passage in self._passages.values():
            found.setdefault(passage.text, []).append(passage.doc_id)
        return found

    def _is_public(self, query: str, text: str) -> bool:
        return self.service.written_query(query) is not None and text in self._by_text


def clean_text(text: Any, what: str) -> str:
    """A passage without surrounding white space: 1 to OWN_CHARS characters, or InputError; `what` names it."""
    if not isinstance(text, str):
        raise InputError(f"{what} is a text, not {type(text).__name__}.")
    text = text.strip()
    if not text:
        raise InputError(f"{what} has 0 characters, not 1 to {limits.OWN_CHARS:,}; write it.")
    if len(text) > limits.OWN_CHARS:
        raise InputError(
            f"{what} has {len(text):,} characters, not 1 to {limits.OWN_CHARS:,}; shorten it."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{what} holds half of a surrogate pair at character {error.start + 1}, which is not valid Unicode; "
            "remove it."
        ) from error
    return text


def same_text(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but case and white space."""
    return one.casefold().split() == other.casefold().split()
