"""How many tokens a forward pass should read on this machine: tried out once, with the model warm.

Larger batches use more cores better until they fall out of the processor's caches, and everyone else waits longer for a
turn. Left out: when to measure (TwoStage.warm), and filling batches (rerank.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

from rerank_core.limits import BATCH_TOKENS, BATCH_TRIALS, TURN_MS
from rerank_core.models import PairScorer

WORDS = 56
"""Words of the passage that is tried: with the query about 64 tokens, an ordinary pair."""
ROUNDS = 3
NEAR = 1.03
"""A smaller batch is taken where it is at most this much slower."""


def measured_batch(
    scorer: PairScorer, run: Callable[[Callable[[], object]], object] = lambda work: work()
) -> int:
    """What `chosen` takes from what forward passes of BATCH_TRIALS took; `run` gives each its turn."""
    pair = scorer.prepare("warm", ["string " * WORDS])[0]
    best: dict[int, float] = {}
    for _ in range(ROUNDS):
        for tokens in BATCH_TRIALS:
            pairs = [pair] * max(1, tokens // pair.tokens)

            def work(pairs: list[object] = pairs, tokens: int = tokens) -> None:  # type: ignore[assignment]
                start = perf_counter()
                scorer.score(pairs)  # type: ignore[arg-type]
                ms = (perf_counter() - start) * 1e3
                best[tokens] = min(ms, best.get(tokens, ms))

            run(work)
    return chosen(best)


def chosen(best_ms: Mapping[int, float]) -> int:
    """The smallest size whose milliseconds a token are within NEAR of the lowest, among turns of at most TURN_MS.

    >>> chosen({256: 30.0, 512: 55.0, 1024: 100.0, 2048: 199.0})
    1024
    >>> chosen({256: 400.0, 512: 900.0}) == BATCH_TOKENS
    True
    """
    short = {tokens: ms / tokens for tokens, ms in best_ms.items() if ms <= TURN_MS}
    if not short:
        return BATCH_TOKENS
    return min(tokens for tokens, ms in short.items() if ms <= NEAR * min(short.values()))
