"""The records that the stages hand to each other: frozen, small, without models.

What is left out: anything that computes. Movement, metrics and cost are functions over these records, in
modules of their own.

>>> ranking = Ranking.from_scores([Passage("a", "one"), Passage("b", "two")], [0.1, 0.7])
>>> [(row.rank, row.passage.doc_id, row.score) for row in ranking]
[(1, 'b', 0.7), (2, 'a', 0.1)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rerank_core.errors import InputError


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and its key. Only `text` is read by the models; the rest is for people."""

    doc_id: str
    text: str
    title: str | None = None
    date: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One row of a ranking: `score` is the model's own number, `rank` starts at 1."""

    passage: Passage
    score: float
    rank: int

    @property
    def doc_id(self) -> str:
        return self.passage.doc_id


@dataclass(frozen=True)
class Ranking:
    """Rows in rank order, ranks 1..n, each doc_id once. Immutable: reranking returns a new one."""

    rows: tuple[Scored, ...]

    @classmethod
    def from_scores(cls, passages: Sequence[Passage], scores: Sequence[float]) -> Ranking:
        """Order `passages` by score descending, then doc_id ascending (the tie rule, everywhere).

        Raises InputError if the two lengths differ or a doc_id appears twice.
        """
        if len(passages) != len(scores):
            raise InputError(
                f"{len(passages)} passages but {len(scores)} scores; give one score a passage."
            )
        ids = [p.doc_id for p in passages]
        if len(set(ids)) != len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise InputError(f"The doc_id {twice!r} appears twice; every passage needs its own.")
        order = sorted(range(len(ids)), key=lambda i: (-scores[i], ids[i]))
        return cls(tuple(Scored(passages[i], float(scores[i]), r) for r, i in enumerate(order, 1)))

    def __iter__(self) -> Iterator[Scored]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Scored:
        return self.rows[index]

    def top(self, k: int) -> Ranking:
        """The first `k` rows (all of them where `k` is larger), as a Ranking."""
        return Ranking(self.rows[:k])

    @property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(row.passage for row in self.rows)

    @property
    def doc_ids(self) -> tuple[str, ...]:
        return tuple(row.passage.doc_id for row in self.rows)

    @cached_property
    def _rank_by_id(self) -> Mapping[str, int]:
        return {row.doc_id: row.rank for row in self.rows}

    def rank_of(self, doc_id: str) -> int | None:
        """The rank of a passage, or None where it is not in this ranking."""
        return self._rank_by_id.get(doc_id)


@dataclass(frozen=True, slots=True)
class StageTiming:
    """What one stage took, by a monotonic clock.

    `name` is one of "wait", "encode query", "search", "cross-encode"; `ms` is milliseconds of wall clock.
    `pairs`, `tokens` and `batches` are zero where a stage has none; `pairs` counts distinct texts. `cold` marks the
    first forward pass after a load. `cached` counts the pairs (for "encode query": the 1 query) that were not
    computed by this run but by an earlier one or one under way; `live_ms` is then what those cost when they were
    computed (None where nothing was cached).
    """

    name: str
    ms: float
    pairs: int = 0
    tokens: int = 0
    batches: int = 0
    cold: bool = False
    cached: int = 0
    live_ms: float | None = None

    @property
    def ms_per_pair(self) -> float | None:
        """Milliseconds a pair that was computed now; None where none was."""
        computed = self.pairs - self.cached
        return self.ms / computed if computed > 0 else None


@dataclass(frozen=True, slots=True)
class PairScore:
    """What the cross-encoder said of one pair.

    `logit` is raw (no sigmoid); `tokens` counts query, passage and special tokens that were read, `cut` those that
    did not fit the model's maximum length; `cached` is true where the logit was not computed by this run.
    """

    doc_id: str
    logit: float
    tokens: int
    cut: int
    cached: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reranking is: `done` of `total` pairs read. No scores: partial winners would mislead."""

    done: int
    total: int
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the page and the trace say of a model in use.

    `kind` is "bi-encoder" or "cross-encoder"; `model_hash` a sha256 over what determines its scores;
    `temperature` and `offset` turn a logit into a calibrated probability, sigmoid((logit - offset) / temperature),
    and are None where the model is not calibrated; `not_confident_below` is a probability or None. `backend` says what
    computes: "torch" in float32, or another's name with a hash of what it makes of the same weights.
    """

    name: str
    kind: str
    model_hash: str
    revision: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    offset: float | None = None
    not_confident_below: float | None = None
    note: str = ""
    backend: str = "torch"

    @property
    def scores_hash(self) -> str:
        """What scores are kept by: those of one backend are not another's, though the weights are the same."""
        return self.model_hash if self.backend == "torch" else f"{self.model_hash}+{self.backend}"


@dataclass(frozen=True)
class Retrieved:
    """Stage one's answer: the N candidates, and what finding them cost.

    `tail` holds the doc_ids of the ranks after N, as many as limits.TAIL, so that a figure at depth 3 is defined
    for N below 3: what was not reranked follows in the bi-encoder's order.
    """

    query: str
    ranking: Ranking
    timings: tuple[StageTiming, ...]
    corpus_size: int
    model: ModelCard
    tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reranked:
    """Stage two's answer: all N in the new order, one PairScore each (in the order of `ranking`)."""

    query: str
    ranking: Ranking
    pairs: tuple[PairScore, ...]
    timings: tuple[StageTiming, ...]
    model: ModelCard
    _by_id: Mapping[str, PairScore] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {p.doc_id: p for p in self.pairs})

    def pair(self, doc_id: str) -> PairScore:
        """The PairScore of a candidate. Raises KeyError for any other doc_id."""
        return self._by_id[doc_id]
