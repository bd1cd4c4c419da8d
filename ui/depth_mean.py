"""What stands beside one query on Depth: the mean of the stored board, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from rerank_core.depth import DepthPoint
from rerank_core.evaluate import ALL
from ui.stored import Stored
from ui.words import plural, slice_words

LIBRARY, SLICE = "library", "slice"
"""What the mean may be over, as the page's control says it."""


@dataclass(frozen=True)
class Mean:
    """The stored board's mean curve and what it is over, or no points and the sentence that says why."""

    points: tuple[DepthPoint, ...]
    words: str
    who: str = ""


def mean_of(stored: Stored, slice_name: str, k: int, *, no_slice: bool) -> Mean:
    """The stored mean over a slice (ALL: the library); `no_slice` says that a slice was asked for and there is none."""
    if stored.board is None:
        return Mean((), stored.why)
    points = stored.mean(slice_name, k)
    where = "the library" if slice_name == ALL else f"the slice “{slice_words(slice_name)}”"
    if not points:
        return Mean(
            (), f"No query of {where} with a relevant passage was written before a model ran on it."
        )
    queries = plural(stored.judged(slice_name), "query", "queries")
    words = f"Over {queries} of {where} written before any model ran on them; stored on {stored.made_on}."
    if no_slice:
        words += " A query of your own belongs to no slice, so this is over the library."
    return Mean(points, words, f"{queries} of {where}")
