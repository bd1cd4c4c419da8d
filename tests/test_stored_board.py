"""The board as a file of the project: the command that writes it, and whether what is stored is still true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeScorer

from rerank_core.__main__ import main
from rerank_core.backend import TORCH, embedded_scorer
from rerank_core.board import TOLERANCE, is_current, read_board
from rerank_core.evaluate import Case, evaluate, headline
from rerank_core.models import EMBEDDED_CROSS_ENCODER, KNOWN
from rerank_core.pipeline import TwoStage
from rerank_core.pool import pool_of
from rerank_core.scenarios import load_library

ROOT = Path(__file__).parents[1]
SCENARIOS = ROOT / "scenarios"
STORED = SCENARIOS / "board.json"
SAMPLE = 12
"""Queries that are scored again: every so many of those stored, so that the sample stays the same."""
LOGIT_TOLERANCE = 0.05
"""Another processor, or batches of another shape, round otherwise."""


def two_scenarios(folder: Path) -> Path:
    for name in ("a", "b"):
        place = folder / name
        place.mkdir()
        rows = [{"doc_id": f"{name}-{i}", "text": f"thing {i} {name}"} for i in range(4)]
        (place / "passages.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
        (place / "scenario.toml").write_text(
            f'id = "{name}"\ntitle = "T"\nslice = "aspect"\nauthor_note = "n"\nlesson = "l"\n'
            f'[[queries]]\nid = "{name}-1"\ntext = "thing 2"\npredict = "?"\n'
            f"[queries.relevance]\n{name}-2 = 3\n",
            "utf-8",
        )
    return folder


def test_the_command_writes_a_board(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, scorer: FakeScorer, tmp_path: Path
) -> None:
    out = tmp_path / "board.json"
    assert main(["board", str(two_scenarios(tmp_path)), "--out", str(out)], engine) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == ["1 of 2: a-1", "2 of 2: b-1"]
    assert said.out.startswith(f"{out}: 2 queries at N = 50. Mean nDCG@3 ")
    board = read_board(out)
    assert [case.query_id for case in board.cases] == ["a-1", "b-1"]
    assert board.cross_encoder == scorer.card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "board.json"]
    assert main(["lint", str(tmp_path), "--no-models"], engine) in (0, 1), "a board is no scenario"


def test_a_place_that_cannot_be_written_is_one_sentence(
    capsys: pytest.CaptureFixture[str], engine: TwoStage, tmp_path: Path
) -> None:
    out = tmp_path / "no" / "board.json"
    assert main(["board", str(two_scenarios(tmp_path)), "--out", str(out)], engine) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"{out}: No such file or directory; give another place.")


if STORED.exists():

    @pytest.mark.parametrize("n", [20, 50, 100])
    def test_both_top_twenties_are_judged_by_people(n: int) -> None:
        """Otherwise a model would be marked down for finding what nobody looked at."""
        library = load_library(SCENARIOS)
        for case in read_board(STORED).cases:
            relevance = library.query(case.query_id).relevance
            after = [doc_id for _, doc_id in sorted(case.pool.keys[:n])]
            for order in (case.pool.doc_ids, after):
                assert not [d for d in order[:20] if d not in relevance], case.query_id

    def test_the_library_has_what_the_evidence_needs() -> None:
        library, cases = load_library(SCENARIOS), read_board(STORED).cases
        assert len(library.scenarios) >= 16
        assert len(library.passages) >= 960
        assert sum(query.chosen is None for query in library.queries) >= 90
        assert len({query.slice for query in library.queries}) == 10
        deepest = [
            max(case.pool.ranks[d] for d, g in case.pool.relevance.items() if g >= 2)
            for case in cases
        ]
        assert sum(rank > 10 for rank in deepest) >= 6
        assert sum(rank > 50 for rank in deepest) >= 3

    @pytest.mark.real
    def test_a_sample_of_the_stored_board_is_what_the_models_say_now() -> None:
        stored, library = read_board(STORED), load_library(SCENARIOS)
        # Stored scores are torch's; another backend's differ by more than the tolerance (benchmarks/AGREEMENT*.md).
        engine = TwoStage(
            None, embedded_scorer(KNOWN[EMBEDDED_CROSS_ENCODER], setting=TORCH)
        ).load()
        assert is_current(stored, library, engine.encoder_card, engine.scorer_card), (
            "scenarios/board.json is of other weights or scenarios than the shipped ones; run `make board`."
        )
        corpus = engine.corpus(library.passages)
        picked = stored.cases[:: max(1, len(stored.cases) // SAMPLE)][:SAMPLE]
        fresh = []
        for case in picked:
            pool = pool_of(engine, case.pool.query, corpus, case.pool.relevance)
            fresh.append(Case(case.query_id, case.scenario_id, case.slice, pool))
            now = dict(zip(pool.doc_ids, pool.logits, strict=True))
            was = dict(zip(case.pool.doc_ids, case.pool.logits, strict=True))
            assert len(now.keys() & was.keys()) >= len(was) - 2, (
                case.query_id
            )  # near ties at the end
            far = {
                d: (x, now[d])
                for d, x in was.items()
                if d in now and abs(x - now[d]) > LOGIT_TOLERANCE
            }
            assert not far, f"{case.query_id}: stored and new logits differ: {far}"
        kept = [Case(c.query_id, c.scenario_id, c.slice, c.pool) for c in picked]
        before = headline(evaluate(kept, stored.n, stored.k))
        after = headline(evaluate(fresh, stored.n, stored.k))
        assert before is not None
        assert after is not None
        assert after.before == pytest.approx(before.before, abs=TOLERANCE)
        assert after.after == pytest.approx(before.after, abs=TOLERANCE)
