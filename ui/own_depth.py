"""A small curve over N for one query on one's own passages, from the pairs that were read anyway. Records -> HTML.

Left out: N beyond what was read, latency, and means over many queries; the Depth tab has those for the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rerank_core.budget import knee
from rerank_core.depth import DepthPoint, curve
from rerank_core.pipeline import Comparison
from rerank_core.pool import Pool
from rerank_core.records import Passage
from rerank_core.turnover import turnover
from ui import depth_lists, depth_words
from ui.depth_mean import Mean
from ui.own_view import PART
from ui.templates import render

WIDTH, HEIGHT = 320, 120
"""Units of the drawing, which takes the width there is."""
CURVES = (
    ("ceiling", "ceiling"),
    ("nDCG@3, reranked", "ndcg3"),
    ("candidate recall", "candidate_recall"),
)


def pool_of_run(comparison: Comparison, relevance: Mapping[str, int]) -> Pool:
    """The pool that a comparison has read already: no model is asked."""
    before = comparison.before
    return Pool(
        comparison.query,
        before.doc_ids,
        tuple(row.score for row in before),
        tuple(comparison.pair(row.doc_id).logit for row in before),
        comparison.retrieved.tail,
        dict(relevance),
        timings=comparison.timings,
    )


def depth(
    comparison: Comparison, relevance: Mapping[str, int], passages: Mapping[str, Passage]
) -> str:
    """The curve, what it says, what is out of reach, and every number as a table; nothing before a mark counts."""
    pool = pool_of_run(comparison, relevance)
    points = curve(pool, comparison.top_k)
    if not points:
        return ""
    n, k = len(pool), comparison.top_k
    found = knee(points)
    sentences = [
        depth_words.at(points[-1], k, depth_words.relevant(pool)),
        _marked(comparison, relevance),
    ]
    if found:
        sentences.append(depth_words.knee(found, "The knee, in sample"))
    return render(
        "own_depth",
        n=n,
        width=WIDTH,
        height=HEIGHT,
        lines=[
            {"name": name, "kind": key.replace("_", "-"), "points": _steps([getattr(p, key) for p in points])}
            for name, key in CURVES
        ],
        ends=[{"name": name, "value": depth_words.two(getattr(points[-1], key)), "kind": key.replace("_", "-")}
              for name, key in CURVES],
        sentences=sentences,
    ) + depth_lists.ghost_list(
        pool, n, passages, comparison.retrieved.corpus_size, True, PART
    ) + _table(pool, points, k)  # fmt: skip


def _table(pool: Pool, points: Sequence[DepthPoint], k: int) -> str:
    return depth_lists.table(pool, points, turnover(pool, k), Mean((), ""), None, k)


def _marked(comparison: Comparison, relevance: Mapping[str, int]) -> str:
    shown = set(comparison.before.doc_ids)
    unmarked = len(shown - set(relevance))
    return f"{len(relevance)} marked; {unmarked} of the {len(shown)} candidates are not, and count as not relevant."


def _steps(values: Sequence[float]) -> str:
    """An SVG polyline in steps, what holds at N holding until N + 1: x from 0 to WIDTH, y from HEIGHT (0) to 0 (1)."""
    step = WIDTH / len(values)
    corners = []
    for i, value in enumerate(values):
        y = HEIGHT * (1 - value)
        corners += [f"{i * step:.1f},{y:.1f}", f"{(i + 1) * step:.1f},{y:.1f}"]
    return " ".join(corners)
