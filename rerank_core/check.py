"""A trace, computed again: does it hold?

Three kinds of line: "ok" held, "FAILS" did not, "not checked" says what no recomputation can tell
from the trace alone. The linter of scenarios lives in `lint` and is offered here too, so that
everything that needs models to check is found in one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

from rerank_core.lint import Finding, lint
from rerank_core.pipeline import TwoStage
from rerank_core.records import ModelCard, Passage, Ranking, Reranked, Scored
from rerank_core.trace import Row, Trace, this_environment

__all__ = ["Finding", "TraceCheck", "check_trace", "lint"]

LOGIT_TOLERANCE = 1e-3
"""Largest difference in a logit in 32-bit floats: batches of other shapes round differently."""
EXACT = ("torch", "openvino-f32")
ROUNDED_TOLERANCE, OTHER_TOLERANCE = 0.1, 1.0
"""The same on a backend that rounds, and between two backends (the largest: benchmarks/AGREEMENT-int8.md)."""
COSINE_TOLERANCE = 1e-4
PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True)
class TraceCheck:
    """`holds` is true where no line starts with "FAILS"."""

    lines: list[str]

    @property
    def holds(self) -> bool:
        return not any(line.startswith("FAILS") for line in self.lines)


def check_trace(trace: Trace, engine: TwoStage) -> TraceCheck:
    """Recompute a trace with `engine` and compare.

    Inside the trace: ids once, ranks 1..n, both orders by score descending then doc_id ascending,
    probabilities as the card's calibration gives them. Against the engine: the same model hashes,
    cosines within COSINE_TOLERANCE, logits within what their backends allow, the same tokens, and the same
    order but for pairs whose stored scores lie within that band. A model with another hash is not
    run: its scores would say nothing about the trace.
    """
    lines = list(_inside(trace))
    if not any(line.startswith("FAILS  ids") for line in lines):
        lines += _cosines(trace, engine)
        lines += _logits(trace, engine)
    return TraceCheck(lines + list(_beyond(trace)))


def _line(holds: bool, good: str, bad: str) -> str:
    return f"ok     {good}" if holds else f"FAILS  {bad}"


def _inside(trace: Trace) -> Iterator[str]:
    rows = trace.candidates
    ids = [row.doc_id for row in rows]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    yield _line(
        not twice, f"ids: {len(ids)} candidates, each once", f"ids: {twice[:3]} appear twice"
    )
    due = min(trace.retrieve_k, trace.corpus_size)
    yield _line(
        len(rows) == due,
        f"count: N = {trace.retrieve_k} of {trace.corpus_size} passages gives {due} candidates",
        f"count: {len(rows)} candidates, but N = {trace.retrieve_k} of {trace.corpus_size} "
        f"passages gives {due}",
    )
    for name, order, ranks in (
        (
            "before",
            sorted(rows, key=lambda r: (-r.cosine, r.doc_id)),
            [r.rank_before for r in rows],
        ),
        ("after", sorted(rows, key=lambda r: (-r.logit, r.doc_id)), [r.rank_after for r in rows]),
    ):
        whole = sorted(ranks) == list(range(1, len(rows) + 1))
        wrong = [r for i, r in enumerate(order, 1) if getattr(r, f"rank_{name}") != i]
        yield _line(
            whole and not wrong,
            f"ranks {name}: 1 to {len(rows)}, by score, ties by doc_id",
            f"ranks {name}: {wrong[0].doc_id if wrong else 'some row'} does not stand where its "
            "score puts it (score descending, ties by doc_id)",
        )
    yield from _probabilities(trace)


def _probabilities(trace: Trace) -> Iterator[str]:
    card = trace.cross_encoder
    if card.temperature is None:
        odd = [row.doc_id for row in trace.candidates if row.probability is not None]
        yield _line(
            not odd,
            "probabilities: none, the cross-encoder is not calibrated",
            f"probabilities: {odd[:1]} has one, but the cross-encoder is not calibrated",
        )
        return
    for row in trace.candidates:
        due = sigmoid((row.logit - (card.offset or 0.0)) / card.temperature)
        if row.probability is None or abs(row.probability - due) > PROBABILITY_TOLERANCE:
            yield (
                f"FAILS  probabilities: {row.doc_id} has {row.probability}, its logit "
                f"{row.logit:.4f} gives {due:.6f}"
            )
            return
    yield "ok     probabilities: each is the sigmoid of its calibrated logit"


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), without overflow at either end."""
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def _same_model(stored: ModelCard, here: ModelCard) -> str:
    return _line(
        stored.model_hash == here.model_hash,
        f"{stored.kind}: the same model, {stored.name} ({stored.model_hash[:12]})",
        f"{stored.kind}: the trace used {stored.name} ({stored.model_hash[:12]}), here is "
        f"{here.name} ({here.model_hash[:12]}); its scores were not computed again",
    )


def _cosines(trace: Trace, engine: TwoStage) -> Iterator[str]:
    same = _same_model(trace.bi_encoder, engine.encoder_card)
    yield same
    if same.startswith("ok") and trace.candidates:
        passages = [Passage(row.doc_id, row.text) for row in trace.candidates]
        again = engine.retrieve(trace.query, passages, retrieve_k=len(passages)).ranking
        stored = {row.doc_id: row.cosine for row in trace.candidates}
        yield from _scores("cosines", stored, again, COSINE_TOLERANCE)


def _logits(trace: Trace, engine: TwoStage) -> Iterator[str]:
    same = _same_model(trace.cross_encoder, engine.scorer_card)
    yield same
    if not same.startswith("ok") or not trace.candidates:
        return
    before = sorted(trace.candidates, key=lambda row: row.rank_before)
    scored = (Scored(Passage(r.doc_id, r.text), r.cosine, i) for i, r in enumerate(before, 1))
    *_, last = engine.rerank_stream(trace.query, Ranking(tuple(scored)), use_cache=False)
    assert isinstance(last, Reranked)
    stored = {row.doc_id: row.logit for row in trace.candidates}
    here = engine.scorer_card.backend
    if trace.cross_encoder.backend != here:
        yield f"note   logits were computed by {trace.cross_encoder.backend}, here by {here}"
    yield from _scores("logits", stored, last.ranking, _band(trace.cross_encoder.backend, here))
    odd = [row for row in trace.candidates if _tokens(row) != _read(last, row)]
    yield _line(
        not odd,
        "tokens: as many read and cut",
        f"tokens: {[r.doc_id for r in odd[:1]]} read and cut {[_tokens(r) for r in odd[:1]]}, "
        f"now {[_read(last, r) for r in odd[:1]]}",
    )


def _band(stored: str, here: str) -> float:
    """How far a logit may lie from the stored one, by the two backends."""
    if stored in EXACT and here in EXACT:
        return LOGIT_TOLERANCE
    return ROUNDED_TOLERANCE if stored == here else OTHER_TOLERANCE


def _tokens(row: Row) -> tuple[int, int]:
    return row.tokens, row.cut


def _read(reranked: Reranked, row: Row) -> tuple[int, int]:
    pair = reranked.pair(row.doc_id)
    return pair.tokens, pair.cut


def _scores(name: str, stored: dict[str, float], again: Ranking, band: float) -> Iterator[str]:
    off = max(again, key=lambda row: abs(row.score - stored[row.doc_id]))
    most = abs(off.score - stored[off.doc_id])
    yield _line(
        most <= band,
        f"{name}: {len(again)} computed again, at most {most:.1e} apart (allowed {band:.0e})",
        f"{name}: {off.doc_id} has {stored[off.doc_id]:.6f}, now {off.score:.6f}, {most:.1e} "
        f"apart (allowed {band:.0e})",
    )
    lowest, wrong = float("inf"), None
    for row in again:  # nobody may now stand below one whose stored score was lower by the band
        if stored[row.doc_id] > lowest + band:
            wrong = row
            break
        lowest = min(lowest, stored[row.doc_id])
    yield _line(
        wrong is None,
        f"order by {name}: the same, outside that band",
        f"order by {name}: {wrong and wrong.doc_id} now stands below a passage that it led",
    )


def _beyond(trace: Trace) -> Iterator[str]:
    here = this_environment()
    yield (
        f"not checked  that these {len(trace.candidates)} were the best of the corpus: it had "
        f"{trace.corpus_size} passages, and the trace holds only the candidates"
    )
    yield "not checked  timings, and the grades of relevance: a person gave them"
    if (here.platform, here.packages) != (trace.environment.platform, trace.environment.packages):
        yield (
            f"note   made with {_where(trace.environment.packages)} on "
            f"{trace.environment.platform}; here {_where(here.packages)} on {here.platform}"
        )


def _where(packages: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items()) or "no packages"
