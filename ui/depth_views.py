"""What stands around the figures about depth: records -> escaped HTML. Sentences come from depth_words.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rerank_core.budget import METHOD, knee, n_for_budget
from rerank_core.depth import DepthPoint
from rerank_core.latency import Cost, LatencyPoint
from rerank_core.pool import Pool
from rerank_core.records import Progress
from rerank_core.turnover import TurnoverPoint
from ui import depth_words as said
from ui.depth_mean import Mean
from ui.latencies import ROUNDS
from ui.templates import render

INTRO = (
    "How many candidates are worth reading? One run scores the largest pool; every smaller N follows from it, since "
    "what a cross-encoder says of a pair does not depend on N. Moving N, K or the budget asks no model."
)
STOPPED = "Stopped. Score again to go on; what was read is kept."


def head(
    query: str, state: str, words: str = "", progress: Progress | None = None, fault: str = ""
) -> str:
    """The tab's heading: what it is, the query, and how far the run is."""
    return working_head("depth", "Depth", INTRO, query, state, words, progress, fault)


def working_head(
    part: str, title: str, intro: str, query: str, state: str,
    words: str = "", progress: Progress | None = None, fault: str = "",
) -> str:  # fmt: skip
    """A heading with the state of a run: "idle", "reading" or "final"."""
    shown = None
    if progress is not None:
        shown = {
            "done": progress.done,
            "total": max(progress.total, 1),
            "words": "Waiting for the model to be free"
            if progress.waiting
            else f"{progress.done} of {progress.total} pairs read",
        }
    return render(
        "depth_head", part=part, title=title, intro=intro, query=query, state=state, words=words,
        progress=shown, fault=fault,
    )  # fmt: skip


def caption(title: str, words: str) -> str:
    """A figure's heading and what it is of."""
    return render("depth_caption", title=title, words=words)


def at_n(
    pool: Pool,
    points: Sequence[DepthPoint],
    moved: Sequence[TurnoverPoint],
    mean: Mean,
    n: int,
    k: int,
    is_written: bool,
) -> str:
    """What this N means, where it stops paying, and what N = K leaves to move."""
    here = min(n, len(pool))
    items: list[dict[str, Any]] = []
    if points:
        items.append(
            {
                "name": f"At N = {here}",
                "sentences": [said.at(points[here - 1], k, said.relevant(pool))],
            }
        )
    elif moved:
        sentences = [said.no_judgements(is_written), said.moved_at(moved, here, k)]
        items.append({"name": f"At N = {here}", "sentences": sentences})
    if mean.points and items:
        items[0]["sentences"].append(
            said.at_mean(mean.points[min(n, len(mean.points)) - 1], k, mean.who)
        )
    knees = [
        said.knee(found, who)
        for who, found in (
            ("This query", knee(points)),
            (said.capital(mean.who), knee(mean.points)),
        )
        if found
    ]
    if knees:
        method = METHOD.removesuffix(", in sample")
        items.append(
            {"name": "Knee", "sentences": knees, "small": f"Method: {method}; {said.IN_SAMPLE}."}
        )
    items.append({"name": "N = K", "sentences": [said.n_is_k(pool, n, k)]})
    for item in items:
        item.setdefault("small", "")
    return render("depth_at", items=items, label="What this N means")


def measuring(done: int, total: int) -> str:
    """How far a measurement is, in runs."""
    return render("depth_measuring", done=done, total=total)


def latency_words(
    pool: Pool,
    points: Sequence[DepthPoint],
    mean: Mean,
    cost: Cost | None,
    budget: float,
    live: Sequence[LatencyPoint] = (),
) -> str:
    """What runs cost, what the budget buys, and what is lost with it. `live` are runs at several N."""
    sentences = [said.at_depths(live, ROUNDS)] if live else []
    items: list[dict[str, Any]] = [
        {"name": "Cost", "sentences": [*sentences, said.measured(pool, cost)], "small": ""}
    ]
    if cost:
        flat = [DepthPoint(i, 0, 0, 0, 0, 0) for i in range(1, len(pool) + 1)]
        sentences = []
        buys = n_for_budget(flat, budget, cost.ms_query, cost.ms_per_pair)
        if buys:
            sentences.append(said.bought(buys, budget, len(pool)))
        for who, curve in (("This query", points), (said.capital(mean.who), mean.points)):
            buys = n_for_budget(curve, budget, cost.ms_query, cost.ms_per_pair)
            if buys:
                sentences.append(said.lost(buys, who))
        items.append({"name": "Budget", "sentences": sentences, "small": ""})
    return render("depth_at", items=items, label="What it cost, and what the budget buys")
