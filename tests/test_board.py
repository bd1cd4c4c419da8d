"""The stored board: out and in again unchanged, current or not, and what differs said in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEncoder, FakeScorer
from pools import some_library

from rerank_core.board import (
    Board,
    board,
    board_matches,
    board_mismatches,
    cases_of,
    is_current,
    read_board,
    scenarios_hash,
)
from rerank_core.depth import ghosts, mean_curve
from rerank_core.errors import FileError, InputError
from rerank_core.evaluate import evaluate, headline
from rerank_core.pipeline import TwoStage
from rerank_core.scenarios import Library

LIBRARY = some_library()


def computed(engine: TwoStage, library: Library = LIBRARY) -> Board:
    cases = cases_of(engine, library, engine.corpus(library.passages))
    return board(cases, library, engine.encoder_card, engine.scorer_card)


@pytest.fixture
def made(engine: TwoStage) -> Board:
    return computed(engine)


def test_out_and_in_again(made: Board, tmp_path: Path):
    path = tmp_path / "board.json"
    path.write_text(made.to_json(), "utf-8")
    again = read_board(path)
    assert again == made
    assert again.to_json() == made.to_json()
    assert len(made.to_json().splitlines()) < len(LIBRARY.queries) + 60


def test_stored_figures_are_those_of_the_live_pools(engine: TwoStage, made: Board):
    live = list(cases_of(engine, LIBRARY, engine.corpus(LIBRARY.passages)))
    for n in (5, 50, 100):
        assert made.rows(n)[0] == headline(evaluate(live, n, made.k))
        for stored, case in zip(made.pools, live, strict=True):
            assert [(g.doc_id, g.rank, g.would_rank) for g in ghosts(stored, n)] == [
                (g.doc_id, g.rank, g.would_rank) for g in ghosts(case.pool, n)
            ]
    assert mean_curve(made.pools, 5) == mean_curve([c.pool for c in live], 5)
    assert made.ms_query > 0
    assert made.ms_per_pair > 0


def test_a_stored_board_is_turned_without_a_model(
    made: Board, encoder: FakeEncoder, scorer: FakeScorer
):
    asked = len(encoder.calls), scorer.prepared
    for n, k in ((5, 3), (50, 5), (100, 10)):
        made.rows(n, k)
    assert (len(encoder.calls), scorer.prepared) == asked
    assert [row.slice for row in made.rows()] == ["all", "aspect", "negation", "quantity"]


def test_it_is_current_while_models_and_scenarios_stand(engine: TwoStage, made: Board):
    cards = engine.encoder_card, engine.scorer_card
    assert is_current(made, LIBRARY, *cards)
    assert not is_current(made, LIBRARY, cards[0], replace(cards[1], model_hash="another"))
    first, *rest = LIBRARY.scenarios
    retold = Library((replace(first, lesson="another", title="another"), *rest))
    assert is_current(made, retold, *cards)
    query = replace(first.queries[1], relevance={"p0-01": 3})
    judged = Library((replace(first, queries=(first.queries[0], query, first.queries[2])), *rest))
    assert not is_current(made, judged, *cards)
    assert scenarios_hash(Library(tuple(reversed(LIBRARY.scenarios)))) == scenarios_hash(LIBRARY)


def test_two_computations_match(made: Board):
    again = computed(TwoStage(FakeEncoder(), FakeScorer()))
    assert board_matches(made, again)
    assert board_mismatches(made, again, 0.0) == ()


def test_what_differs_is_said(made: Board):
    pools = [replace(c.pool, logits=c.pool.logits[::-1]) for c in made.cases]
    cases = tuple(replace(c, pool=p) for c, p in zip(made.cases, pools, strict=True))
    card = replace(made.cross_encoder, model_hash="another")
    other = made.model_copy(update={"cases": cases, "cross_encoder": card})
    said = board_mismatches(made, other)
    assert said[0].startswith("cross-encoder: stored hash-of-fake, now another;")
    assert any(line.startswith("all: nDCG@3 after was 0.") for line in said)
    assert not any("nDCG@3 before" in line for line in said)
    assert not board_matches(made, other)
    fewer = made.model_copy(update={"cases": made.cases[:-1]})
    assert any(line.startswith("queries: ") for line in board_mismatches(made, fewer))


def test_cases_must_be_the_librarys(made: Board):
    cards = made.bi_encoder, made.cross_encoder
    with pytest.raises(InputError, match=r"17 cases for 18 queries \(see 's5-2'\)"):
        board(made.cases[:-1], LIBRARY, *cards)
    with pytest.raises(InputError, match="score each once"):
        board((*made.cases, made.cases[0]), LIBRARY, *cards)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("k"), "`k` is missing; add it"),
        (lambda d: d.update(m=1), "unknown key `m`"),
        (
            lambda d: d["cases"][0]["pool"]["logits"].pop(),
            "cases: A pool needs a cosine and a logit",
        ),
        (lambda d: d["cases"][1].update(slice=3), r"cases\[2\].slice: "),
    ],
)
def test_a_broken_file_is_named_with_place_and_fix(made: Board, tmp_path: Path, change, said: str):
    data = json.loads(made.to_json())
    change(data)
    path = tmp_path / "board.json"
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(FileError, match=said) as error:
        read_board(path)
    assert str(path) in str(error.value)
    assert "Compute the board anew." in str(error.value)
