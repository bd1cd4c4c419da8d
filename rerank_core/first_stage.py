"""Where a query's candidates come from: the bi-encoder's search, a run file, or lists that were given.

All three answer the same two questions, so that whoever evaluates need not know which it is. Left out: reading the
files (trec_run.py, lists_file.py) and judging what comes out (query_figures.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple, Protocol

from rerank_core.corpus import Corpus
from rerank_core.corpus_file import CorpusFile
from rerank_core.judged import JudgedQuery
from rerank_core.limits import TAIL
from rerank_core.lists_file import ListsFile
from rerank_core.pipeline import TwoStage
from rerank_core.records import ModelCard, Passage, Ranking, StageTiming
from rerank_core.trec_run import TrecRun

Kind = Literal["bi-encoder", "run", "lists"]


class Candidates(NamedTuple):
    """At most N passages in the first stage's order, the TAIL doc_ids after them, and what finding them cost.

    A search's scores are cosines; of a given order only the order counts, and scores are -1, -2, ...
    """

    ranking: Ranking
    beyond: tuple[str, ...]
    timings: tuple[StageTiming, ...]


class FirstStage(Protocol):
    """`name` is the model's or the file's; `corpus_size` is None where every query brings its own passages."""

    kind: Kind
    name: str
    model: ModelCard | None
    corpus_size: int | None

    def candidates(self, query: JudgedQuery, n: int) -> Candidates | None:
        """The query's candidates; None where a given first stage does not know the query."""

    def passages(self, query: JudgedQuery, doc_ids: Sequence[str]) -> Mapping[str, Passage]:
        """Those passages of the query's corpus, by doc_id."""

    def holds(self, query: JudgedQuery, doc_id: str) -> bool:
        """Whether the query's corpus has this passage."""


class Searched:
    """An engine's bi-encoder over a corpus that it encoded; `row_of` says where each doc_id stands in it."""

    kind: Kind = "bi-encoder"

    def __init__(
        self, engine: TwoStage, corpus: Corpus, row_of: Mapping[str, int] | None = None
    ) -> None:
        self.model: ModelCard | None = engine.encoder_card
        self.name = engine.encoder_card.name
        self.corpus_size: int | None = len(corpus)
        self._engine, self._corpus = engine, corpus
        self._row_of = row_of or {p.doc_id: row for row, p in enumerate(corpus.passages)}

    def candidates(self, query: JudgedQuery, n: int) -> Candidates | None:
        # Not from kept vectors: the latency of a query is one of the figures.
        found = self._engine.retrieve(query.text, self._corpus, n, use_cache=False, tail=TAIL)
        return Candidates(found.ranking, found.tail, found.timings)

    def passages(self, query: JudgedQuery, doc_ids: Sequence[str]) -> Mapping[str, Passage]:
        return {d: self._corpus.passages[self._row_of[d]] for d in doc_ids}

    def holds(self, query: JudgedQuery, doc_id: str) -> bool:
        return doc_id in self._row_of


def searched_by(corpus: Corpus) -> dict[str, Any]:
    """What report.Index says of how a corpus is searched."""
    near = corpus.near
    if near is None:
        return {"search": "exact"}
    return {"search": near.name, "recall": near.recall, "build_ms": near.build_ms}


class FromRun:
    """A TREC run over a corpus file: no bi-encoder is asked."""

    kind: Kind = "run"
    model: ModelCard | None = None

    def __init__(self, run: TrecRun, corpus: CorpusFile) -> None:
        self.name = run.name
        self.corpus_size: int | None = len(corpus)
        self._run, self._corpus = run, corpus

    def candidates(self, query: JudgedQuery, n: int) -> Candidates | None:
        rows = self._run.rows_of.get(query.query_id)
        if rows is None:
            return None
        beyond = tuple(self._corpus.doc_ids[row] for row in islice(rows, n, n + TAIL))
        return Candidates(in_order([self._corpus[row] for row in rows[:n]]), beyond, ())

    def passages(self, query: JudgedQuery, doc_ids: Sequence[str]) -> Mapping[str, Passage]:
        return {d: self._corpus[self._corpus.row_of[d]] for d in doc_ids}

    def holds(self, query: JudgedQuery, doc_id: str) -> bool:
        return doc_id in self._corpus.row_of


class FromLists:
    """Passages that come with each query, in the order given."""

    kind: Kind = "lists"
    model: ModelCard | None = None
    corpus_size: int | None = None

    def __init__(self, lists: ListsFile) -> None:
        self.name = lists.path.name
        self._lists = lists

    def candidates(self, query: JudgedQuery, n: int) -> Candidates | None:
        passages = self._lists.passages_of(query)
        beyond = tuple(p.doc_id for p in passages[n : n + TAIL])
        return Candidates(in_order(passages[:n]), beyond, ())

    def passages(self, query: JudgedQuery, doc_ids: Sequence[str]) -> Mapping[str, Passage]:
        by_id = {p.doc_id: p for p in self._lists.passages_of(query)}
        return {d: by_id[d] for d in doc_ids}

    def holds(self, query: JudgedQuery, doc_id: str) -> bool:
        return True  # grades come with passages


def in_order(passages: Iterable[Passage]) -> Ranking:
    """Passages without scores as a Ranking in the order given."""
    given = list(passages)
    return Ranking.from_scores(given, [-float(rank) for rank in range(1, len(given) + 1)])
