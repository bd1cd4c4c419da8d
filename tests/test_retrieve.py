"""The first stage: exact search, ties by doc_id, and what the next ranks hold."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fakes import FakeEncoder, some_passages

from rerank_core.corpus import Corpus
from rerank_core.errors import InputError
from rerank_core.limits import TAIL
from rerank_core.records import Passage, Ranking
from rerank_core.retrieve import QueryEncoder, retrieve, search
from rerank_core.scheduler import Scheduler


def test_the_ranking_is_by_cosine(encoder: FakeEncoder):
    corpus = Corpus.encode(["python snake", "apple pie", "python code"], encoder)
    found = retrieve("python snake", corpus, encoder, 3)
    assert found.ranking.doc_ids[0] == "p0001"
    assert found.ranking[0].score == pytest.approx(1.0)
    assert found.corpus_size == 3
    assert found.model is encoder.card


@pytest.mark.parametrize("seed", range(30))
def test_search_equals_sorting_everything(seed: int):
    rng = np.random.default_rng(seed)
    n, depth = int(rng.integers(1, 60)), int(rng.integers(1, 70))
    vectors = rng.choice([-1.0, 0.0, 1.0], size=(n, 3)).astype(np.float32)  # many ties
    passages = some_passages(n)
    random.Random(seed).shuffle(passages)
    query = np.array([1, 2, 0], dtype=np.float32)
    found = search(query, Corpus(tuple(passages), vectors, "h"), depth)
    assert found == Ranking.from_scores(passages, (vectors @ query).tolist()).top(depth)


def test_equal_texts_tie_exactly_wherever_they_stand():
    rng = np.random.default_rng(0)
    row = rng.normal(size=384).astype(np.float32)
    passages = tuple(Passage(f"d{i:03d}", "the same") for i in range(101))
    corpus = Corpus(passages, np.tile(row, (101, 1)), "h")
    found = search(rng.normal(size=384).astype(np.float32), corpus, 101)
    assert len({r.score for r in found}) == 1
    assert found.doc_ids == tuple(p.doc_id for p in passages)


def test_the_tail_holds_the_next_ranks(encoder: FakeEncoder):
    corpus = Corpus.encode(some_passages(60), encoder)
    everything = retrieve("thing number 7", corpus, encoder, 60).ranking.doc_ids
    found = retrieve("thing number 7", corpus, encoder, 2)
    assert found.ranking.doc_ids == everything[:2]
    assert found.tail == everything[2 : 2 + TAIL]


def test_n_larger_than_the_corpus_is_all_of_it(encoder: FakeEncoder):
    found = retrieve("x", Corpus.encode(some_passages(4), encoder), encoder, 1000)
    assert (len(found.ranking), found.tail) == (4, ())


def test_an_empty_corpus_gives_an_empty_ranking_and_asks_nothing(encoder: FakeEncoder):
    found = retrieve("x", Corpus.encode([], encoder), encoder, 5)
    assert (len(found.ranking), found.tail, found.corpus_size, encoder.calls) == (0, (), 0, [])
    assert [t.name for t in found.timings] == ["wait", "encode query", "search"]


def test_a_corpus_of_another_model_is_refused(encoder: FakeEncoder):
    corpus = Corpus.encode(["a"], FakeEncoder("other"))
    with pytest.raises(InputError, match=r"hash hash-of-othe.* fake-bi with hash-of-fake"):
        retrieve("x", corpus, encoder, 5)


@pytest.mark.parametrize(("query", "n"), [("", 5), ("x", 0), ("x", 1001)])
def test_out_of_bounds(encoder: FakeEncoder, query: str, n: int):
    with pytest.raises(InputError):
        retrieve(query, Corpus.encode(["a"], encoder), encoder, n)


def test_a_kept_query_says_what_it_cost(encoder: FakeEncoder):
    queries = QueryEncoder(encoder, Scheduler())
    first, second, live = queries("x"), queries("x"), queries("x", use_cache=False)
    assert encoder.texts == 2
    assert np.array_equal(first.vector, second.vector)
    assert first.timings[1].cold
    assert (first.timings[1].cached, first.timings[1].live_ms) == (0, None)
    assert (second.timings[1].cached, second.timings[1].ms) == (1, 0.0)
    assert second.timings[1].live_ms == first.timings[1].ms
    assert second.timings[1].ms_per_pair is None
    assert (live.timings[1].cached, live.timings[1].cold) == (0, False)


def test_a_private_query_is_not_kept(encoder: FakeEncoder):
    queries = QueryEncoder(encoder, Scheduler())
    queries("mine", use_cache=False)
    assert queries("mine").timings[1].cached == 0
    assert encoder.texts == 2


def test_queries_are_kept_up_to_a_bound(encoder: FakeEncoder):
    queries = QueryEncoder(encoder, Scheduler(), max_queries=2)
    for query in ("a", "b", "a", "c", "a", "b"):
        queries(query)
    assert [call[0] for call in encoder.calls] == ["a", "b", "c", "b"]


def test_many_who_ask_at_once_encode_once(encoder: FakeEncoder):
    scheduler, gate = Scheduler(), threading.Event()
    queries = QueryEncoder(encoder, scheduler)
    with ThreadPoolExecutor(21) as pool:
        pool.submit(scheduler.call, lambda: gate.wait(10))
        asked = [pool.submit(queries, "x") for _ in range(20)]
        gate.set()
        found = [future.result(10) for future in asked]
    assert encoder.texts == 1
    assert sum(f.timings[1].cached == 0 for f in found) == 1


def test_the_encoders_error_reaches_the_asker_and_is_not_kept(encoder: FakeEncoder):
    queries = QueryEncoder(encoder, Scheduler())
    encoder.error = RuntimeError("broken")
    with pytest.raises(RuntimeError, match="broken"):
        queries("x")
    encoder.error = None
    assert queries("x").timings[1].cached == 0
