"""A trace computed again: what holds, what does not, and what is said not to be checked."""

from typing import Any

import pytest
from fakes import FakeEncoder, FakeScorer, some_passages

from rerank_core import check
from rerank_core.check import COSINE_TOLERANCE, LOGIT_TOLERANCE, check_trace
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage
from rerank_core.trace import Row, Trace, trace_of

FAR = 10


@pytest.fixture
def engine() -> TwoStage:
    return TwoStage(FakeEncoder(), FakeScorer(temperature=2.0))


@pytest.fixture
def trace(engine: TwoStage) -> Trace:
    return trace_of(engine.compare("thing 3", some_passages(12), retrieve_k=8))


def fails(trace: Trace, engine: TwoStage) -> list[str]:
    return [line for line in check_trace(trace, engine).lines if line.startswith("FAILS")]


def with_row(trace: Trace, index: int, **changes: Any) -> Trace:
    rows = list(trace.candidates)
    rows[index] = rows[index].model_copy(update=changes)
    return trace.model_copy(update={"candidates": tuple(rows)})


def reranked(trace: Trace, rows: list[Row]) -> Trace:
    """Rows with consistent ranks after, by their logits."""
    rows = sorted(rows, key=lambda row: (-row.logit, row.doc_id))
    ranked = [row.model_copy(update={"rank_after": i}) for i, row in enumerate(rows, 1)]
    return trace.model_copy(update={"candidates": tuple(ranked)})


def test_an_honest_trace_holds(trace: Trace, engine: TwoStage) -> None:
    result = check_trace(trace, engine)
    assert result.holds
    assert any("that these 8 were the best of the corpus" in line for line in result.lines)
    assert any(line.startswith("not checked  timings") for line in result.lines)


def test_the_models_run_again_and_not_from_the_cache(trace: Trace, engine: TwoStage) -> None:
    scorer = FakeScorer(temperature=2.0)
    again = TwoStage(FakeEncoder(), scorer, cache=engine.cache)
    assert check_trace(trace, again).holds
    assert scorer.pairs == 8


@pytest.mark.parametrize("passages", [[], ["one"], ["same", "same", "same"], ["", "x"]])
def test_small_traces_hold(engine: TwoStage, passages: list[str]) -> None:
    assert check_trace(trace_of(engine.compare("thing", passages)), engine).holds


def test_order_of_the_rows_does_not_matter(trace: Trace, engine: TwoStage) -> None:
    turned = trace.model_copy(update={"candidates": trace.candidates[::-1]})
    assert check_trace(turned, engine).holds


def test_another_model_is_said_and_not_run(trace: Trace) -> None:
    scorer = FakeScorer("other")
    found = fails(trace, TwoStage(FakeEncoder(), scorer))
    assert len(found) == 1
    assert "the trace used fake-cross (hash-of-fake)" in found[0]
    assert scorer.pairs == 0


def test_a_changed_logit_is_found(trace: Trace, engine: TwoStage) -> None:
    first = trace.candidates[0]
    found = fails(with_row(trace, 0, logit=first.logit + FAR * LOGIT_TOLERANCE), engine)
    assert any(f"logits: {first.doc_id} has" in line for line in found)
    assert any("probabilities" in line for line in found)


@pytest.mark.parametrize(
    ("stored", "here", "band"),
    [
        ("torch", "torch", check.LOGIT_TOLERANCE),
        ("torch", "openvino-f32", check.LOGIT_TOLERANCE),
        ("openvino-bf16", "openvino-bf16", check.ROUNDED_TOLERANCE),
        ("torch", "openvino-bf16", check.OTHER_TOLERANCE),
        ("openvino-bf16", "openvino-f32", check.OTHER_TOLERANCE),
    ],
)
def test_how_far_a_logit_may_lie_depends_on_both_backends(stored: str, here: str, band: float):
    assert check._band(stored, here) == band


def test_a_logit_within_the_band_holds(trace: Trace, engine: TwoStage) -> None:
    rows = [
        row.model_copy(update={"logit": row.logit + LOGIT_TOLERANCE / 2, "probability": None})
        for row in trace.candidates
    ]
    moved = reranked(trace, rows)
    assert not [line for line in fails(moved, engine) if "probabilities" not in line]


def test_a_changed_cosine_is_found(trace: Trace, engine: TwoStage) -> None:
    last = max(trace.candidates, key=lambda row: row.rank_before)
    index = trace.candidates.index(last)
    found = fails(with_row(trace, index, cosine=last.cosine - FAR * COSINE_TOLERANCE), engine)
    assert [line for line in found if f"cosines: {last.doc_id} has" in line] == found


def test_a_changed_text_is_found(trace: Trace, engine: TwoStage) -> None:
    found = fails(with_row(trace, 0, text="another text"), engine)
    assert any("cosines" in line for line in found)
    assert any("logits" in line for line in found)


def test_swapped_ranks_are_found(trace: Trace, engine: TwoStage) -> None:
    swapped = with_row(with_row(trace, 0, rank_after=2), 1, rank_after=1)
    assert any("ranks after" in line for line in fails(swapped, engine))


def test_swapped_scores_are_found_though_the_trace_is_whole(trace: Trace, engine: TwoStage) -> None:
    first, last = trace.candidates[0], trace.candidates[-1]
    moved = with_row(trace, 0, logit=last.logit, probability=last.probability)
    moved = with_row(moved, -1, logit=first.logit, probability=first.probability)
    found = fails(reranked(trace, list(moved.candidates)), engine)
    assert any("logits" in line for line in found)
    assert any("order by logits" in line for line in found)


def test_a_tie_is_broken_by_doc_id(engine: TwoStage) -> None:
    twins = [Passage("b", "same text"), Passage("a", "same text")]
    trace = trace_of(engine.compare("same", twins))
    assert [row.doc_id for row in trace.candidates] == ["a", "b"]
    swapped = with_row(with_row(trace, 0, rank_after=2), 1, rank_after=1)
    assert any("ties by doc_id" in line for line in fails(swapped, engine))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": 1}, "tokens:"),
        ({"cut": 99}, "tokens:"),
        ({"probability": 0.123}, "probabilities:"),
        ({"probability": None}, "probabilities:"),
    ],
)
def test_other_changes_are_found(
    trace: Trace, engine: TwoStage, changes: dict[str, Any], message: str
) -> None:
    found = fails(with_row(trace, 0, **changes), engine)
    assert len(found) == 1
    assert message in found[0]


def test_a_probability_without_calibration_is_found() -> None:
    engine = TwoStage(FakeEncoder(), FakeScorer())
    trace = trace_of(engine.compare("thing 3", some_passages(3)))
    assert any(
        "not calibrated" in line for line in fails(with_row(trace, 0, probability=0.5), engine)
    )


def test_an_id_twice_ends_the_check(trace: Trace, engine: TwoStage) -> None:
    found = fails(with_row(trace, 0, doc_id=trace.candidates[1].doc_id), engine)
    assert "appear twice" in found[0]


def test_a_lost_candidate_is_found(trace: Trace, engine: TwoStage) -> None:
    short = trace.model_copy(update={"candidates": trace.candidates[:-1]})
    assert any("count: 7 candidates, but N = 8" in line for line in fails(short, engine))


def test_other_versions_are_noted(trace: Trace, engine: TwoStage) -> None:
    packages = trace.environment.packages | {"torch": "1.0"}
    there = trace.environment.model_copy(update={"packages": packages})
    result = check_trace(trace.model_copy(update={"environment": there}), engine)
    assert result.holds
    assert any(line.startswith("note") and "torch 1.0" in line for line in result.lines)
