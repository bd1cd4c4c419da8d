"""What the figures about depth say in sentences: records -> text, computed from the numbers they stand beside.

Left out: the figures, the markup, and anything a model would have to be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core.budget import Bought, Knee
from rerank_core.depth import DepthPoint, order_at
from rerank_core.latency import Cost, LatencyPoint
from rerank_core.metrics import RELEVANT
from rerank_core.pool import Pool
from rerank_core.turnover import TurnoverPoint
from ui.words import milliseconds, plural

IN_SAMPLE = (
    "in sample: N is chosen on the same judgements that it is shown on, so elsewhere it keeps less"
)


def two(x: float) -> str:
    """.93, 1.00: two figures of a share."""
    return f"{x:.2f}".replace("0.", ".", 1)


def at(point: DepthPoint, k: int, total: int) -> str:
    """One query at one N; `total` passages are relevant."""
    found = round(point.candidate_recall * total)
    room = point.ceiling - point.ndcg3
    best = (
        "the best that any reranker could make of these candidates"
        if room < 0.005
        else f"{two(room)} below the ceiling of {two(point.ceiling)}"
    )
    return (
        f"nDCG@3 is {two(point.ndcg3)}, {best}. {found} of {plural(total, 'relevant passage')} "
        f"{'is a candidate' if found == 1 else 'are candidates'}. "
        f"Rank 1 is {'' if point.success1 else 'not '}relevant; "
        f"{'a' if point.answer_in_top_k else 'no'} relevant passage is in the top {k}."
    )


def at_mean(point: DepthPoint, k: int, who: str) -> str:
    """Many queries at one N."""
    return (
        f"Over {who}: nDCG@3 {two(point.ndcg3)} of a ceiling of {two(point.ceiling)}; "
        f"rank 1 relevant for {100 * point.success1:.0f} %, an answer in the top {k} for "
        f"{100 * point.answer_in_top_k:.0f} %; candidate recall {two(point.candidate_recall)}."
    )


def knee(found: Knee, who: str) -> str:
    """Where a curve stops paying, and how that was found."""
    if found.best.ndcg3 <= 0:
        return f"{who}: no depth brings a relevant passage into the top 3, so there is no knee."
    return (
        f"{who}: N = {found.n}, nDCG@3 {two(found.point.ndcg3)}; "
        f"the best is {two(found.best.ndcg3)}, at N = {found.best.n}."
    )


def n_is_k(pool: Pool, n: int, k: int) -> str:
    """What reranking exactly the K that are handed on can move, and what N > K adds."""
    k = min(k, len(pool))
    if not k:
        return "There is no candidate, so nothing can move."
    before, after = pool.before[:k], order_at(pool, k)[:k]
    moved = sum(a != b for a, b in zip(before, after, strict=True))
    if not moved:
        order = "here it stays as it was"
    else:
        first = "stays" if before[0] == after[0] else "changes hands"
        order = f"here {moved} of {k} places hold another passage, and rank 1 {first}"
    answer = ""
    if pool.has_relevant:
        inside = any(pool.relevance.get(d, 0) >= RELEVANT for d in before)
        there = "there is one" if inside else "there is none"
        answer = f" So whether they hold an answer cannot change either: {there}, before and after."
    sentence = (
        f"At N = K = {k} the cross-encoder can only reorder the bi-encoder's first {k}: which {k} are handed on "
        f"is settled before it reads.{answer} The order can change: {order}."
    )
    return f"{sentence} {_beyond(pool, n, k)}".strip()


def _beyond(pool: Pool, n: int, k: int) -> str:
    n = min(n, len(pool))
    if n == k:
        return "That is the N you have chosen."
    if n < k:
        return (
            f"At your N = {n}, ranks {n + 1} to {k} are not even read: they stay the bi-encoder's."
        )
    came = sum(d not in pool.before[:k] for d in order_at(pool, n)[:k])
    come = "comes" if came == 1 else "come"
    return (
        f"At your N = {n}, {came} of the {k} handed on {come} from below the bi-encoder's rank {k}."
    )


def no_judgements(is_written: bool) -> str:
    """Why there is no quality curve."""
    if is_written:
        return (
            "No passage in the library answers this query, so at no depth is there anything to find: the curves show "
            "what moves, and nothing about whether that is better."
        )
    return (
        "Nobody has judged which passages answer this query, so nDCG, success and recall cannot be computed at any "
        "depth: the curves show what moves, and nothing about whether that is better."
    )


def moved_at(points: Sequence[TurnoverPoint], n: int, k: int) -> str:
    """One query without judgements at one N."""
    point = points[n - 1]
    lead = (
        "The bi-encoder's first still leads"
        if point.leader_before == 1
        else f"The passage that leads stood at {point.leader_before}"
    )
    top = min(k, len(points))
    settled = next(
        (p.n for i, p in enumerate(points) if all(q.settled > 0.999 for q in points[i:])), None
    )
    tail = (
        f"From N = {settled} up, the top {top} holds the same passages as at {len(points)}."
        if settled
        else ""
    )
    return (
        f"{lead}; {point.new3} of the top 3 and {point.new_k} of the top {top} are new; "
        f"{100 * point.settled:.0f} % of the top {top} are those that N = {len(points)} puts there. {tail}"
    ).strip()


def measured(pool: Pool, cost: Cost | None) -> str:
    """What the run cost, and what of the latency figure is not measured."""
    if cost is None:
        return "This run was the first after the models were loaded, so its times say nothing about the next."
    pairs = pairs_read(pool)
    extra = len(pool.ghost_logits)
    ghosts = f" ({extra} of them for the list of ghosts; they enter no order)" if extra else ""
    kept = next((t.cached for t in pool.timings if t.name == "cross-encode"), 0)
    earlier = (
        f" Of these, {kept} were kept from an earlier run and count what they cost then."
        if kept
        else ""
    )
    return (
        f"Measured, at the dot: {plural(pairs, 'pair')}{ghosts} in {milliseconds(cost.ms_per_pair * pairs)}, "
        f"{milliseconds(cost.ms_per_pair)} a pair, after {milliseconds(cost.ms_query)} for encoding the query and "
        f"searching.{earlier} Estimated, the line: a pair is taken to cost the same at every N. Waiting for others is "
        "left out."
    )


def at_depths(points: Sequence[LatencyPoint], rounds: int) -> str:
    """Live runs at several N, and how far they are from a line through nothing but the cost of a pair."""
    runs = ", ".join(f"{milliseconds(p.ms)} at N = {p.n}" for p in points)
    first, last = points[0], points[-1]
    each = f"a pair takes {milliseconds(first.ms_pairs / first.n)} at N = {first.n} and "
    return (
        f"Measured, live, each the median of {rounds} runs with no kept score, waiting left out: {runs}; "
        f"{each}{milliseconds(last.ms_pairs / last.n)} at N = {last.n}."
    )


def pairs_read(pool: Pool) -> int:
    """How many pairs the run of a pool read, ghosts included."""
    return next((t.pairs for t in pool.timings if t.name == "cross-encode"), len(pool))


def bought(found: Bought, budget: float, size: int) -> str:
    """What a latency budget buys."""
    limit = milliseconds(budget)
    if not found.within:
        return f"{limit} do not even pay for the first stage, estimated {milliseconds(found.ms)}."
    if found.n == 0:
        return (
            f"{limit} buy no pair: the bi-encoder's order stands, after {milliseconds(found.ms)}."
        )
    if found.n == size:
        return f"{limit} buy the whole pool, N = {size}, estimated {milliseconds(found.ms)}."
    return f"{limit} buy N = {found.n}, estimated {milliseconds(found.ms)}."


def lost(found: Bought, who: str) -> str:
    """What is given up at the depth bought, against the best on the same curve."""
    if found.best.ndcg3 <= 0:
        return f"{who}: nothing to lose, no depth brings a relevant passage into the top 3."
    if found.lost < 0.005:
        return f"{who}: nothing lost, nDCG@3 {two(found.ndcg3)} is the best on the curve."
    return (
        f"{who}: nDCG@3 {two(found.ndcg3)}, {two(found.lost)} below the best on the curve "
        f"({two(found.best.ndcg3)} at N = {found.best.n})."
    )


def relevant(pool: Pool) -> int:
    """How many judged passages are relevant."""
    return sum(grade >= RELEVANT for grade in pool.relevance.values())


def capital(words: str) -> str:
    """The first letter as a sentence begins."""
    return words[:1].upper() + words[1:]
