"""How many tokens a forward pass should read: which size is chosen, and what measuring asks of the model."""

from __future__ import annotations

from fakes import FakeScorer

from rerank_core import batch_size
from rerank_core.batch_size import chosen, measured_batch
from rerank_core.limits import BATCH_TOKENS, BATCH_TRIALS, TURN_MS
from rerank_core.pipeline import TwoStage


def test_the_smallest_of_those_that_are_nearly_the_fastest():
    assert chosen({256: 26.0, 512: 50.0, 1024: 99.0, 2048: 198.0}) == 512
    assert chosen({256: 25.6, 512: 51.2, 1024: 120.0}) == 256


def test_a_turn_that_is_too_long_is_not_taken_however_fast():
    assert chosen({256: 100.0, 512: TURN_MS + 1}) == 256
    assert chosen({256: TURN_MS + 1}) == BATCH_TOKENS


def test_each_size_is_tried_in_turns_and_the_result_is_a_trial():
    scorer, turns = FakeScorer(), []

    def run(work):
        turns.append(work)
        return work()

    assert measured_batch(scorer, run) in BATCH_TRIALS
    assert len(turns) == len(scorer.forwards) == batch_size.ROUNDS * len(BATCH_TRIALS)
    tokens = scorer.prepare("warm", ["string " * batch_size.WORDS])[0].tokens
    assert [len(f) for f in scorer.forwards[: len(BATCH_TRIALS)]] == [
        t // tokens for t in BATCH_TRIALS
    ]


def test_an_engine_keeps_what_it_measured(engine: TwoStage, scorer: FakeScorer, monkeypatch):
    monkeypatch.setattr("rerank_core.pipeline.measured_batch", lambda scorer, run: 1024)
    assert engine.size_batches() is engine
    assert engine.scheduler.pace(scorer).batch_tokens == 1024
