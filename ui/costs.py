"""What each stage cost, as a table: the same numbers as the bars, for everyone."""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core.records import StageTiming
from ui.templates import render
from ui.words import backend_words, live_ms, milliseconds, plural

STAGE_NAMES = {
    "wait": "Waiting for the model",
    "encode query": "Encode the query",
    "search": "Search the corpus",
    "cross-encode": "Cross-encode the pairs",
}


def costs(
    timings: Sequence[StageTiming],
    *,
    corpus_size: int,
    load_ms: float | None = None,
    index_ms: float | None = None,
    backend: str | None = None,
) -> str:
    """The stages as a table; what is paid once (milliseconds, where known) stands apart below it.

    `backend` is that of the cross-encoder's card, where one has answered.
    """
    load = f" ({milliseconds(load_ms)})" if load_ms else ""
    passages = plural(corpus_size, "passage")
    index = (
        f"{passages} encoded, {milliseconds(index_ms)}"
        if index_ms
        else f"{passages} whose vectors were kept from an earlier start"
    )
    paid = f"Paid once, before any query: loading the models{load}; the index, {index}."
    return render(
        "costs",
        reranked=any(t.name == "cross-encode" for t in timings),
        stages=[
            {
                "name": STAGE_NAMES[t.name],
                "time": milliseconds(live_ms(t)),
                "words": stage_words(t, corpus_size),
            }
            for t in timings
        ],
        total=milliseconds(sum(live_ms(t) for t in timings)),
        once=paid,
        computed=f"The cross-encoder's scores were computed by {backend_words(backend)}."
        if backend
        else "",
    )


def stage_words(timing: StageTiming, corpus_size: int) -> str:
    """What a stage did, and whether it was live, cached, cold or warm."""
    if timing.name == "search":
        return f"one dot product with each of {plural(corpus_size, 'passage vector')}"
    if timing.name == "wait":
        return "the model was free" if timing.ms < 1 else "until the model was free"
    live = _live_or_cached(timing)
    if timing.name == "encode query":
        return f"one forward pass, {live}" if not timing.cached else live
    facts = [plural(timing.pairs, "pair"), plural(timing.tokens, "token")]
    if timing.ms_per_pair is not None:
        facts += [
            plural(timing.batches, "batch", "batches"),
            f"{milliseconds(timing.ms_per_pair)} a pair",
        ]
    return ", ".join([*facts, live])


def _live_or_cached(timing: StageTiming) -> str:
    if not timing.cached:
        return "live, cold: the first since the model was loaded" if timing.cold else "live, warm"
    what = "cached" if timing.cached >= max(timing.pairs, 1) else f"{timing.cached} of them cached"
    return f"{what}: the time shown is what it took live; now it took {milliseconds(timing.ms)}"
