"""What moved between two rankings of the same candidates: pure.

>>> from rerank_core.records import Passage, Ranking
>>> a, b, c = (Passage(x, x) for x in "abc")
>>> before = Ranking.from_scores([a, b, c], [3, 2, 1])
>>> after = Ranking.from_scores([a, b, c], [1, 2, 3])
>>> [(m.doc_id, m.before, m.after, m.change) for m in movement(before, after)]
[('c', 3, 1, 2), ('b', 2, 2, 0), ('a', 1, 3, -2)]
"""

from __future__ import annotations

from dataclasses import dataclass

from rerank_core.errors import InputError
from rerank_core.records import Ranking


@dataclass(frozen=True, slots=True)
class Move:
    """One passage's ranks in both rankings; both start at 1."""

    doc_id: str
    before: int
    after: int

    @property
    def change(self) -> int:
        """Ranks gained: positive is up (towards rank 1), negative is down."""
        return self.before - self.after


def movement(before: Ranking, after: Ranking) -> tuple[Move, ...]:
    """Every passage's move, in the order of `after`.

    Raises InputError where the two rankings do not hold the same doc_ids: reranking neither adds nor loses one.
    """
    if set(before.doc_ids) != set(after.doc_ids):
        odd = sorted(set(before.doc_ids) ^ set(after.doc_ids))[0]
        raise InputError(
            f"Both rankings must hold the same passages; {odd!r} is in only one of them."
        )
    rank_before = {row.doc_id: row.rank for row in before}
    return tuple(Move(row.doc_id, rank_before[row.doc_id], row.rank) for row in after)


def new_in_top(before: Ranking, after: Ranking, k: int) -> int:
    """How many passages of after's first k were not among before's first k."""
    return len(set(after.top(k).doc_ids) - set(before.top(k).doc_ids))


def same_order(before: Ranking, after: Ranking, first: int, last: int) -> bool:
    """True where ranks `first` to `last` (inclusive, from 1) hold the same passages in the same order."""
    return before.doc_ids[first - 1 : last] == after.doc_ids[first - 1 : last]


def kendall_tau(before: Ranking, after: Ranking) -> float | None:
    """Kendall's tau-a between two orders of the same n passages, in [-1, 1]; None where n < 2.

    (concordant - discordant pairs) / (n (n - 1) / 2). Source: Kendall, "A new measure of rank correlation",
    Biometrika 30, 1938. O(n^2), n is at most a few hundred here.
    """
    ranks = [m.before for m in movement(before, after)]
    n = len(ranks)
    if n < 2:
        return None
    concordant = sum(ranks[i] < ranks[j] for i in range(n) for j in range(i + 1, n))
    pairs = n * (n - 1) // 2
    return (2 * concordant - pairs) / pairs
