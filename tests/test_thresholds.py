"""Thresholds: one curve for a logit and its probability, another for a cosine; every point by counting."""

from __future__ import annotations

import pytest
from fakes import FakeEncoder, FakeScorer
from hypothesis import given
from hypothesis import strategies as st
from pools import some_library

from rerank_core.board import cases_of
from rerank_core.comparison import calibrated
from rerank_core.errors import InputError
from rerank_core.pipeline import TwoStage
from rerank_core.records import ModelCard
from rerank_core.thresholds import scored_pairs, threshold_curve

logits = st.integers(-60, 60).map(lambda i: i / 4)
scored = st.lists(st.tuples(logits, st.booleans()), max_size=40)


@given(scored, st.floats(0.5, 5), st.floats(-3, 3))
def test_a_logit_and_its_probability_give_one_curve(rows, temperature: float, offset: float):
    card = ModelCard("m", "cross-encoder", "h", temperature=temperature, offset=offset)
    relevant = [r for _, r in rows]
    one = threshold_curve([x for x, _ in rows], relevant)
    other = threshold_curve([calibrated(x, card) for x, _ in rows], relevant)
    assert [(p.kept, p.precision, p.recall) for p in one] == [
        (p.kept, p.precision, p.recall) for p in other
    ]
    assert [calibrated(p.threshold, card) for p in one] == [p.threshold for p in other]


@given(scored)
def test_every_point_is_what_counting_gives(rows):
    total = sum(r for _, r in rows)
    points = threshold_curve([x for x, _ in rows], [r for _, r in rows])
    assert len(points) == (len({x for x, _ in rows}) if total else 0)
    for p in points:
        kept = [r for x, r in rows if x >= p.threshold]
        assert (p.kept, p.precision, p.recall) == (
            len(kept),
            sum(kept) / len(kept),
            sum(kept) / total,
        )


def test_a_cosine_has_a_curve_of_its_own():
    library = some_library()
    engine = TwoStage(FakeEncoder(), FakeScorer(temperature=2.0))
    cases = list(cases_of(engine, library, engine.corpus(library.passages), 50))
    pairs = scored_pairs(cases, 20, engine.scorer_card)
    assert len(pairs) == 20 * len(cases)
    relevant = [p.relevant for p in pairs]
    curves = [
        [(p.kept, p.precision) for p in threshold_curve(scores, relevant)]
        for scores in (
            [p.logit for p in pairs],
            [p.probability for p in pairs],
            [p.cosine for p in pairs],
        )
    ]
    assert curves[0] == curves[1] != curves[2]
    assert any(p.grade is None for p in pairs)
    assert sum(relevant) == sum(
        case.pool.relevance.get(d, 0) >= 2 for case in cases for d in case.pool.doc_ids[:20]
    )


def test_an_uncalibrated_model_has_no_probability():
    library = some_library(scenarios=1)
    engine = TwoStage(FakeEncoder(), FakeScorer())
    cases = cases_of(engine, library, engine.corpus(library.passages))
    assert {p.probability for p in scored_pairs(cases, 5, engine.scorer_card)} == {None}


def test_lengths_must_agree():
    with pytest.raises(InputError, match="2 scores but 1 judgements"):
        threshold_curve([1.0, 2.0], [True])
