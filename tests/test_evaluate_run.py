"""Evaluations: every figure equals ir_measures' over runs made apart, one scoring for all of them, nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import ir_measures
import pytest
from fakes import FakeEncoder, FakeScorer, some_passages
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG
from judged_sets import Judged, some_judged, write_beir, write_lists, write_run

from rerank_core import evaluate_queries
from rerank_core.errors import InputError, RerankError
from rerank_core.evaluate_inputs import read_inputs
from rerank_core.evaluate_run import evaluate_stage
from rerank_core.evaluation import Facts, Plan
from rerank_core.first_stage import FromLists, FromRun
from rerank_core.intervals import bootstrap_interval
from rerank_core.kept_scores import KeptScores
from rerank_core.limits import EXCERPT_CHARS, QUERY_MAX_CHARS, TAIL
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage, Ranking
from rerank_core.report import Report

GAINS = {grade: 2**grade - 1 for grade in range(11)}
N, K = 25, 7


def of_memory(engine: TwoStage, data: Judged, **more: int) -> Report:
    passages = [Passage(d, t) for d, t in data.passages.items()]
    return evaluate_queries(
        engine, passages, data.queries, data.qrels, **{"retrieve_k": N, "top_k": K, **more}
    )


def orders(engine: TwoStage, data: Judged, n: int) -> dict[str, tuple[list[str], list[str]]]:
    """Before and after for each query, by the page's own path: nothing of an evaluation is used."""
    corpus = engine.corpus([Passage(d, t) for d, t in data.passages.items()])
    found = {}
    for q, text in data.queries.items():
        live = engine.compare(text, corpus, n, 1)
        tail = live.retrieved.tail
        found[q] = [*live.before.doc_ids, *tail], [*live.after.doc_ids, *tail]
    return found


def measured(
    data: Judged, runs: dict[str, tuple[list[str], list[str]]], relevant: int, n: int = N
) -> tuple[dict, dict, list[str]]:
    """Before and after: measure -> query -> value, by ir_measures; and the queries with a relevant passage."""
    kept = [q for q in runs if any(g >= relevant for g in data.qrels[q].values())]
    qrels = [Qrel(q, d, g) for q in kept for d, g in data.qrels[q].items()]
    measures = {
        "nDCG@10": nDCG(gains=GAINS) @ 10,
        "nDCG@3": nDCG(gains=GAINS) @ 3,
        f"MRR@{n}": RR(rel=relevant) @ n,
        f"recall@{K}": R(rel=relevant) @ K,
        f"recall@{n}": R(rel=relevant) @ n,
        "success@1": Success(rel=relevant) @ 1,
    }
    sides = []
    for side in (0, 1):
        scored = [ScoredDoc(q, d, -r) for q in kept for r, d in enumerate(runs[q][side], 1)]
        values: dict[str, dict[str, float]] = {name: {} for name in measures}
        names = {str(m): name for name, m in measures.items()}
        for one in ir_measures.iter_calc(list(measures.values()), qrels, scored):
            values[names[str(one.measure)]][one.query_id] = one.value
        sides.append(values)
    return sides[0], sides[1], kept


def check(
    report: Report, data: Judged, runs: dict[str, tuple[list[str], list[str]]], relevant: int
) -> None:
    """Every figure of every query and every mean, interval and count."""
    before, after, kept = measured(data, runs, relevant)
    assert [row.query_id for row in report.queries] == kept
    assert [m.name for m in report.metrics] == [
        "nDCG@10", "nDCG@3", f"MRR@{N}", f"recall@{K}", f"recall@{N}",
    ]  # fmt: skip
    for i, row in enumerate(report.metrics):
        was, now = ([side[row.name].get(q, 0.0) for q in kept] for side in (before, after))
        lifts = [b - a for a, b in zip(was, now, strict=True)]
        assert [q.before[i] for q in report.queries] == pytest.approx(was)
        assert [q.after[i] for q in report.queries] == pytest.approx(now)
        for mean, values in ((row.before, was), (row.after, now), (row.lift, lifts)):
            assert mean.mean == pytest.approx(sum(values) / len(values))
            assert mean.interval == pytest.approx(bootstrap_interval(values, kept))
        assert row.wins == sum(x > 1e-9 for x in lifts)
        assert row.losses == sum(x < -1e-9 for x in lifts)
        assert row.wins + row.ties + row.losses == len(kept) == report.counts.evaluated


@pytest.mark.parametrize(("most", "relevant"), [(1, 1), (3, 1), (3, 2), (10, 1)])
def test_figures_equal_ir_measures(engine: TwoStage, most: int, relevant: int):
    data = some_judged(most=most, seed=most)
    report = of_memory(engine, data, relevant=relevant)
    check(report, data, orders(TwoStage(FakeEncoder(), FakeScorer()), data, N), relevant)
    assert report.metric("nDCG@10").wins
    assert report.metric("nDCG@10").losses
    assert report.counts.without_relevant == 1
    assert report.corpus_size == len(data.passages)
    assert (report.relevant, report.retrieve_k, report.top_k) == (relevant, N, K)


def test_binary_judgements_have_the_ndcg_of_linear_gains(engine: TwoStage):
    data = some_judged()
    runs = orders(engine, data, N)
    kept = [q for q in runs if any(data.qrels[q].values())]
    qrels = [Qrel(q, d, g) for q in kept for d, g in data.qrels[q].items()]
    run = [ScoredDoc(q, d, -r) for q in kept for r, d in enumerate(runs[q][1], 1)]
    linear = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
    assert of_memory(engine, data).metric("nDCG@10").after.mean == pytest.approx(linear)


def test_every_depth_of_the_sweep_equals_a_run_at_that_depth(engine: TwoStage):
    data = some_judged(most=2)
    report = of_memory(engine, data)
    assert [p.n for p in report.sweep] == list(range(1, N + 1))
    for n in (1, 2, 3, 9, 10, 11, N):
        runs = orders(TwoStage(FakeEncoder(), FakeScorer()), data, n)
        before, after, kept = measured(data, runs, 1, n)
        point = report.sweep[n - 1]

        def mean(side: dict, name: str, kept: list[str] = kept) -> float:
            return sum(side[name].get(q, 0.0) for q in kept) / len(kept)

        assert point.ndcg10 == pytest.approx(mean(after, "nDCG@10"))
        assert point.ndcg3 == pytest.approx(mean(after, "nDCG@3"))
        assert point.success1 == pytest.approx(mean(after, "success@1"))
        assert point.candidate_recall == pytest.approx(mean(before, f"recall@{n}"))
        assert point.ceiling >= point.ndcg10 - 1e-12
        best = {
            q: (b, sorted(b[:n], key=lambda d: -data.qrels[q].get(d, 0)) + b[n:])
            for q, (b, _) in runs.items()
        }
        assert point.ceiling == pytest.approx(mean(measured(data, best, 1, n)[1], "nDCG@10"))
    last = report.sweep[-1]
    assert last.ndcg10 == pytest.approx(report.metric("nDCG@10").after.mean)
    assert last.ceiling == pytest.approx(report.metric("nDCG@10").ceiling)
    first = report.sweep[0]
    assert first.ndcg10 == pytest.approx(report.metric("nDCG@10").before.mean)


def test_reranking_keeps_recall_of_the_candidates(engine: TwoStage):
    row = of_memory(engine, some_judged()).metric(f"recall@{N}")
    assert (row.wins, row.losses, row.before, row.lift.mean) == (0, 0, row.after, 0.0)


def test_one_scoring_serves_every_figure(
    engine: TwoStage, encoder: FakeEncoder, scorer: FakeScorer
):
    data = some_judged()
    report = of_memory(engine, data)
    asked = len(data.queries) - 1  # the one without a relevant passage is not read
    distinct = len(set(data.passages.values()))
    assert encoder.texts == distinct + asked
    assert scorer.prepared == scorer.pairs <= N * asked
    assert report.index is not None
    assert (report.index.encoded, report.index.kept) == (distinct, 0)
    assert len(engine.cache) == 0, "a visitor's texts stay in no cache of the engine"


def test_candidates_fewer_than_n_are_all_read(engine: TwoStage):
    data = some_judged(passages=22, queries=6)
    report = of_memory(engine, data, retrieve_k=100)
    assert {row.pairs for row in report.queries} == {22}
    assert len(report.sweep) == 100
    assert report.sweep[21:] == tuple(
        point.model_copy(update={"n": n}) for n, point in enumerate([report.sweep[21]] * 79, 22)
    )


def test_a_given_corpus_is_not_encoded_again(engine: TwoStage, encoder: FakeEncoder):
    data = some_judged()
    corpus = engine.corpus([Passage(d, t) for d, t in data.passages.items()])
    before = encoder.texts
    report = evaluate_queries(engine, corpus, data.queries, data.qrels, 10, 5)
    assert encoder.texts - before == len(data.queries) - 1
    assert report.index is None


def test_progress_counts_queries_and_ends_what_it_raises_in(engine: TwoStage, scorer: FakeScorer):
    data, seen = some_judged(), []
    passages = [Passage(d, t) for d, t in data.passages.items()]
    evaluate_queries(engine, passages, data.queries, data.qrels, 10, 5, lambda *at: seen.append(at))
    assert seen == [(i, 13) for i in range(1, 14)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    forwards = scorer.pairs
    with pytest.raises(KeyboardInterrupt):
        evaluate_queries(engine, passages, data.queries, data.qrels, 10, 5, stop)
    assert scorer.pairs - forwards <= 10


# Given first stages


def test_a_run_equals_ir_measures_without_a_bi_encoder(
    engine: TwoStage, encoder: FakeEncoder, tmp_path: Path
):
    data = some_judged(most=2)
    folder = write_beir(tmp_path / "set", data)
    given = read_inputs(folder, write_run(tmp_path / "a.run", data))
    report = evaluate_stage(engine, given.stage, given.queries, Plan(N, K), Facts("set"))
    lines: dict[str, list[tuple[str, float]]] = {}
    for line in (tmp_path / "a.run").read_text().splitlines():
        q, _, d, _, score, _ = line.split()
        lines.setdefault(q, []).append((d, float(score)))
    runs = {}
    for q in (q for q in data.queries if q in lines):
        before = [d for d, _ in sorted(lines[q], key=lambda x: (-x[1], x[0]))][: N + TAIL]
        read = [Passage(d, data.passages[d]) for d in before[:N]]
        after = TwoStage(FakeEncoder(), FakeScorer()).rerank(data.queries[q], read, len(read))
        runs[q] = before, [*after.doc_ids, *before[N:]]
    check(report, data, runs, 1)
    assert encoder.calls == []
    assert (report.first_stage, report.first_stage_name, report.bi_encoder) == (
        "run", "a.run", None,
    )  # fmt: skip
    assert report.counts.without_candidates == 1
    assert isinstance(given.stage, FromRun)
    assert [s.stage for s in report.latency.stages] == ["cross-encode", "total"]


def test_lists_equal_ir_measures(engine: TwoStage, encoder: FakeEncoder, tmp_path: Path):
    data = some_judged(most=3)
    given = read_inputs(write_lists(tmp_path / "lists.jsonl", data))
    rows = [json.loads(line) for line in (tmp_path / "lists.jsonl").read_text().splitlines()]
    judged = Judged(
        data.passages,
        data.queries,
        {
            row["query_id"]: {
                p["doc_id"]: g for p, g in zip(row["passages"], row["grades"], strict=True)
                if g is not None
            }
            for row in rows
        },
    )  # fmt: skip
    report = evaluate_stage(engine, given.stage, given.queries, Plan(N, K, 2), Facts("lists"))
    runs = {}
    for row in rows:
        before = [p["doc_id"] for p in row["passages"]]
        read = [Passage(d, data.passages[d]) for d in before]
        after = TwoStage(FakeEncoder(), FakeScorer()).rerank(row["query"], read, len(read))
        runs[row["query_id"]] = before, list(after.doc_ids)
    check(report, judged, runs, 2)
    assert encoder.calls == []
    assert isinstance(given.stage, FromLists)
    assert report.corpus_size is None
    assert len({row.pairs for row in report.queries}) > 1


# Losses and gains


def test_losses_and_gains_are_the_largest_with_their_texts(engine: TwoStage):
    data = some_judged(queries=40, seed=4)
    report = of_memory(engine, data)
    lifts = {row.query_id: row.after[0] - row.before[0] for row in report.queries}
    worst = sorted((q for q in lifts if lifts[q] < -1e-9), key=lambda q: (lifts[q], q))[:10]
    best = sorted((q for q in lifts if lifts[q] > 1e-9), key=lambda q: (-lifts[q], q))[:10]
    assert [q.query_id for q in report.losses] == worst
    assert [q.query_id for q in report.gains] == best
    assert len(worst) == len(best) == 10
    runs = orders(TwoStage(FakeEncoder(), FakeScorer()), data, N)
    for shown in (*report.losses, *report.gains):
        before, after = runs[shown.query_id]
        ids = [p.doc_id for p in shown.passages]
        assert {*before[:3], *after[:3]} <= set(ids)
        assert [p.rank_after for p in shown.passages] == sorted(
            p.rank_after for p in shown.passages
        )
        for p in shown.passages:
            assert (before[p.rank_before - 1], after[p.rank_after - 1]) == (p.doc_id, p.doc_id)
            assert p.text == data.passages[p.doc_id]
            assert p.grade == data.qrels[shown.query_id].get(p.doc_id)
        relevant = {d for d, g in data.qrels[shown.query_id].items() if g}
        assert shown.missed == len(relevant - set(before[:N]))
        assert shown.query == data.queries[shown.query_id]
    assert {q.kind for q in report.losses} <= {"candidate", "scoring"}
    assert {q.kind for q in report.gains} == {None}


def test_a_long_text_is_shown_cut(engine: TwoStage):
    passages = [Passage("a", "thing " * 500), Passage("b", "thing other")]
    report = evaluate_queries(engine, passages, {"q": "thing"}, {"q": {"a": 1, "b": 0}}, 2, 1)
    shown = [p for q in (*report.losses, *report.gains) for p in q.passages]
    for p in shown:
        assert p.cut is (p.doc_id == "a")
        assert len(p.text) <= EXCERPT_CHARS


def test_an_unchanged_order_has_neither_losses_nor_gains(engine: TwoStage):
    report = of_memory(engine, some_judged(), retrieve_k=1, top_k=1)
    assert (report.losses, report.gains) == ((), ())
    assert all(row.lift.mean == 0 for row in report.metrics)
    assert [m.name for m in report.metrics] == ["nDCG@10", "nDCG@3", "MRR@1", "recall@1"]


# What is not there


def test_a_judged_passage_that_the_corpus_lacks_stays_in_the_ideal(engine: TwoStage):
    data = some_judged(absent=True)
    report = of_memory(engine, data)
    assert report.counts.absent == 1
    check(report, data, orders(TwoStage(FakeEncoder(), FakeScorer()), data, N), 1)


def test_too_few_queries_have_no_interval(engine: TwoStage):
    report = of_memory(engine, some_judged(queries=5))
    assert report.counts.evaluated == 4
    assert {m.lift.interval for m in report.metrics} == {None}


def test_a_long_query_is_cut_and_counted(engine: TwoStage):
    data = some_judged()
    data.queries["q03"] = "word1 " * QUERY_MAX_CHARS
    assert of_memory(engine, data).counts.queries_cut == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qrels": {"x": {"d000": 1}}}, "Query 'x' is judged but has no text; add it to the queries."),
        ({"qrels": {"q01": {"d000": 0}}}, "None of 1 judged queries has a passage of grade 1 or more"),
        ({"qrels": {"q01": {"d000": 11}}}, "has grade 11 for passage 'd000'; a grade is a whole number"),
        ({"qrels": {"q01": {"d000": -1}}}, "has grade -1 for passage 'd000'"),
        ({"qrels": {"q01": {"d000": True}}}, "has grade True for passage 'd000'"),
        ({"queries": {"q01": " "}, "qrels": {"q01": {"d000": 1}}}, "The query has 0 characters"),
        ({"retrieve_k": 0}, "retrieve_k (N) is a whole number from 1 to 1000, not 0."),
        ({"retrieve_k": 5, "top_k": 6}, "top_k (K) is 6 but only retrieve_k (N) = 5"),
        ({"relevant": 0}, "The lowest relevant grade is a whole number from 1 to 10, not 0."),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(engine: TwoStage, change: dict, message: str):
    data = some_judged()
    given = {"corpus": data.passages.values(), "queries": data.queries, "qrels": data.qrels}
    with pytest.raises(InputError) as raised:
        evaluate_queries(engine, **{**given, **change})
    assert message in str(raised.value)


def test_a_model_that_fails_ends_the_evaluation():
    engine = TwoStage(FakeEncoder(), FakeScorer(error=ValueError("no")))
    with pytest.raises(RerankError, match="fake-cross failed on this query"):
        of_memory(engine, some_judged())


def test_latency_is_of_live_runs_and_counts_them(engine: TwoStage):
    data = some_judged()
    texts = [Passage(d, t) for d, t in data.passages.items()]
    engine.compare("word1", texts)  # warm
    report = of_memory(engine, data)
    assert report.latency.queries == report.counts.evaluated
    by_name = {s.stage: s for s in report.latency.stages}
    assert list(by_name) == ["encode query", "search", "cross-encode", "total"]
    for stage in by_name.values():
        assert 0 < stage.p50_ms <= stage.p95_ms
    assert by_name["total"].p50_ms > by_name["cross-encode"].p50_ms
    assert report.latency.ms_per_pair


# Going on


def test_what_was_scored_is_not_scored_again(tmp_path: Path):
    data = some_judged()
    given = read_inputs(write_beir(tmp_path / "set", data), write_run(tmp_path / "a.run", data))
    plan, facts = Plan(N, K), Facts("set")
    engine = TwoStage(FakeEncoder(), FakeScorer())
    whole = evaluate_stage(engine, given.stage, given.queries, plan, facts)

    class Cut(Exception):
        pass

    def cut(done: int, total: int) -> None:
        if done == 4:
            raise Cut

    first = FakeScorer()
    kept = KeptScores(tmp_path, "key", pytest.fail)
    with pytest.raises(Cut):
        evaluate_stage(
            TwoStage(FakeEncoder(), first), given.stage, given.queries, plan, facts, kept, cut
        )
    kept.close()
    second, seen = FakeScorer(), []
    kept = KeptScores(tmp_path, "key", pytest.fail)
    report = evaluate_stage(
        TwoStage(FakeEncoder(), second), given.stage, given.queries, plan, facts, kept,
        lambda *at: seen.append(at),
    )  # fmt: skip
    assert report.counts.resumed == len(kept) - (len(whole.queries) - 3) == 3
    assert seen[-1] == (len(seen), len(seen))
    queries = {*first.queries} | {*second.queries}
    assert len(queries) == len(whole.queries)
    assert not set(first.queries) & set(second.queries)
    for name in ("metrics", "sweep", "queries", "losses", "gains"):
        assert getattr(report, name) == getattr(whole, name), name
    third = FakeScorer()
    deeper = Plan(N, 3, 1)  # another K: no model is asked
    again = evaluate_stage(
        TwoStage(FakeEncoder(), third), given.stage, given.queries, deeper, facts, kept
    )
    assert third.forwards == []
    assert again.counts.resumed == again.counts.evaluated
    assert again.top_k == 3
    kept.close()


def test_rankings_of_equal_texts_tie(engine: TwoStage):
    passages = [*some_passages(4), Passage("a", "thing"), Passage("z", "thing")]
    report = evaluate_queries(engine, passages, {"q": "thing"}, {"q": {"a": 1}}, 6, 6)
    (row,) = report.queries
    live = engine.compare("thing", passages, 6, 6)
    assert isinstance(live.after, Ranking)
    assert row.after[2] == 1 / live.after.rank_of("a")
