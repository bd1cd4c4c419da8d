"""Records -> HTML: escaped, and the words true."""

from __future__ import annotations

import re

import pytest
from fakes import FakeEncoder, FakeScorer, some_passages

from rerank_core.pipeline import Comparison, TwoStage
from rerank_core.prediction import Outcome, Prediction, Round, judge
from rerank_core.records import PairScore, Passage, Ranking, Reranked, Retrieved, StageTiming
from rerank_core.scenarios import Expect, Printed, PrintedRow, Query, Scenario
from ui import figures, results, views
from ui.costs import costs, stage_words
from ui.lesson import lesson
from ui.templates import prose
from ui.trace_table import trace_rows, trace_table
from ui.words import cosine, joined, logit, milliseconds, plural, probability

NASTY = "<img src=x onerror=alert(1)> ${1+1} {{2+2}} \" ' </section>"


@pytest.fixture
def comparison(engine: TwoStage) -> Comparison:
    passages = [*some_passages(14), Passage("<b>id", NASTY, title=NASTY, source=NASTY)]
    return engine.compare("thing number", passages, retrieve_k=15, top_k=5)


def swapped(n: int, first: int) -> Comparison:
    """n candidates of which `first` (its rank before) comes to lead, all else in order."""
    passages = [Passage(f"d{i:02d}", f"text {i}") for i in range(1, n + 1)]
    before = Ranking.from_scores(passages, [-float(i) for i in range(n)])
    order = [passages[first - 1], *(p for i, p in enumerate(passages, 1) if i != first)]
    after = Ranking.from_scores(order, [-float(i) for i in range(n)])
    encoder, scorer = FakeEncoder(), FakeScorer()
    engine = TwoStage(encoder, scorer)
    reread = engine.compare("text", passages, n, 1)
    return Comparison.of(
        Retrieved("text", before, reread.retrieved.timings, n, encoder.card, ()),
        Reranked("text", after, reread.reranked.pairs, reread.reranked.timings, scorer.card),
        3,
    )


def test_nothing_in_a_passage_becomes_markup(comparison: Comparison) -> None:
    for html in (
        views.ranking_before(
            comparison.retrieved, top_k=5, link="?x=" + NASTY, after=comparison.after
        ),
        views.ranking_after(comparison, relevance={"<b>id": 3}),
        views.message(NASTY),
        views.fault_list(NASTY),
        views.predict_head(NASTY),
        str(prose(NASTY)),
    ):
        assert "<img" not in html
        assert "<b>id" not in html


def test_rows_say_where_they_came_from_and_went() -> None:
    comparison = swapped(12, first=11)
    after = views.ranking_after(comparison, relevance=None)
    assert "▲ from 11, up 10" in after
    assert "▼ from 1, down 1" in after
    assert "= still 12" in after
    before = views.ranking_before(comparison.retrieved, top_k=3, link="", after=comparison.after)
    assert "▲ to 1" in before
    assert "▼ to 2" in before
    assert before.count("beyond") == 2


def test_relevance_marks_are_words_and_unjudged_is_said() -> None:
    comparison = swapped(4, first=2)
    html = views.ranking_after(comparison, relevance={"d01": 3, "d02": 2, "d03": 0})
    marks = re.findall(
        r'class="mark grade-\w+"><span aria-hidden="true">[^<]+</span> ([a-z ]+)<', html
    )
    assert marks == ["partly answers", "answers", "not relevant", "unjudged"]
    assert 'class="mark' not in views.ranking_after(comparison, relevance=None)


def test_the_line_under_k() -> None:
    assert views.ranking_after(swapped(6, 2), relevance=None).count("handed-on") == 1
    assert "handed-on" not in views.ranking_after(swapped(3, 2), relevance=None), "K is all of them"


@pytest.mark.parametrize(
    ("first", "relevance", "words"),
    [
        (1, None, "Nothing moved"),
        (2, None, "The top result changed: the new one stood at 2"),
        (5, {"d05": 3}, "The top 3 is now the best that these passages allow."),
        (5, {"d01": 3}, "Here reranking made the top 3 worse."),
        (5, {"d05": 3, "d04": 3, "d06": 3}, "not yet the best"),
        (9, {"d10": 3}, "For the top 3 it changed nothing that counts"),
    ],
)
def test_the_sentence_is_computed_from_the_run(
    first: int, relevance: dict[str, int] | None, words: str
) -> None:
    comparison = swapped(12, first)
    lift = None if relevance is None else comparison.lift_at(3, relevance)
    assert words in results.run_sentence(comparison, lift)


def test_a_query_without_a_relevant_passage_has_no_lift_and_says_why() -> None:
    html = results.verdict(swapped(5, 2), relevance={"d01": 1}, judged=None, counted=False)
    assert "no passage in the library answers it" in html


def test_unjudged_passages_in_the_top_are_counted_aloud() -> None:
    html = results.verdict(swapped(5, 4), relevance={"d01": 3}, judged=None, counted=False)
    assert "2 in the top 3 before, 2 after" in html


def test_prediction_is_scored_aloud() -> None:
    comparison = swapped(12, first=11)
    prediction = Prediction(True, 0.8, leader=0, new_in_top3=2, middle_same=True)
    verdict = judge(prediction, comparison.before, comparison.after)
    assert verdict is not None
    html = results.verdict(comparison, relevance=None, judged=verdict, counted=True)
    assert "2 of 4" in html
    assert "Brier score of the first answer .04" in html
    assert "You said one below those shown would lead; one below those shown does." in html


def test_outcomes_are_sentences() -> None:
    assert (
        results.outcome_words(Outcome("leader", 3, 1))
        == "You said row 3 would lead; the old leader does."
    )
    assert (
        results.outcome_words(Outcome("new", 0, 1)) == "You said 0 of the top 3 would be new; 1 is."
    )


def test_record_has_its_n() -> None:
    assert "over 2 rounds" in results.record([Round("a", 1, 4, 0.25), Round("b", 3, 4, 0.05)])
    assert "mean Brier score .15" in results.record(
        [Round("a", 1, 4, 0.25), Round("b", 3, 4, 0.05)]
    )


def test_a_cached_stage_shows_its_live_cost_marked() -> None:
    timing = StageTiming("cross-encode", 0.2, pairs=50, tokens=4000, cached=50, live_ms=640.0)
    assert "cached: the time shown is what it took live" in stage_words(timing, 100)
    table = costs([timing], corpus_size=100, load_ms=8000, index_ms=3000)
    assert "640 ms" in table
    assert "loading the models (8.0 s); the index, 100 passages encoded, 3.0 s." in table
    kept = costs([timing], corpus_size=100, load_ms=8000)
    assert "the index, 100 passages whose vectors were kept from an earlier start." in kept
    bar = figures.latency_bars([timing]).data[0]
    assert bar.text[3] == "640 ms, cached"
    assert bar.marker.pattern.shape[3] == "/"
    assert bar.text[0] == "not run yet"


def test_live_stages_say_cold_or_warm() -> None:
    cold = StageTiming("cross-encode", 900, pairs=50, tokens=4000, batches=7, cold=True)
    assert "50 pairs, 4,000 tokens, 7 batches, 18.0 ms a pair, live, cold" in stage_words(cold, 10)
    assert stage_words(StageTiming("wait", 0.0), 10) == "the model was free"


def test_trace_table_carries_the_trace_as_text(comparison: Comparison) -> None:
    from rerank_core.trace import trace_of

    html = trace_table(comparison, trace_of(comparison), trace_rows(comparison, None), "")
    assert "<img" not in html
    assert html.count("<tr>") == 16


def test_numbers_and_words() -> None:
    assert (cosine(0.5441), cosine(-0.05), cosine(1.0)) == (".544", "−.050", "1.000")
    assert (logit(3.214), logit(-0.4)) == ("+3.21", "−0.40")
    assert (probability(0.871), probability(None)) == ("87 %", "–")
    assert [milliseconds(x) for x in (0.213, 13.24, 640.4, 1440, 23_000)] == [
        "0.21 ms", "13.2 ms", "640 ms", "1.4 s", "23 s",
    ]  # fmt: skip
    assert (plural(1, "pair"), plural(1200, "batch", "batches")) == ("1 pair", "1,200 batches")
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"


def test_printed_scores_stand_beside_the_live_ones_and_differences_are_said() -> None:
    passages = [
        Passage("a", "feeding guide"),
        Passage("b", "tutorial"),
        Passage("c", "setup"),
        Passage("x", "care package"),
    ]
    before = Ranking.from_scores(passages, [0.51, 0.36, 0.43, 0.54])
    after = Ranking.from_scores(passages, [2.0, -3.0, 1.0, 0.0])
    encoder, scorer = FakeEncoder(), FakeScorer()
    pairs = tuple(PairScore(r.doc_id, r.score, 9, 0, False) for r in after)
    comparison = Comparison.of(
        Retrieved("q", before, (), 4, encoder.card, ()),
        Reranked("q", after, pairs, (), scorer.card),
        3,
    )
    rows = (PrintedRow("a", 0.72, 0.91), PrintedRow("b", 0.74, 0.18), PrintedRow("c", 0.60, 0.76))
    query = Query("q-1", "q", "word_sense", "?", None, {"a": 2, "x": 0}, Expect())
    printed = Printed("as printed", "q-1", rows)
    scenario = Scenario(
        "s", "t", "word_sense", "note", "*lesson* <b>", (query,), tuple(passages), printed
    )
    html = lesson(scenario, query, comparison)
    assert (
        "its bi-encoder puts “tutorial” first of the three. Live, fake-bi puts it last already."
        in html
    )
    assert "a passage such as “care package” (.540), above “feeding guide” (.510)" in html
    assert (
        "“feeding guide”, “setup”, “tutorial”, as the chapter&#39;s does." in html
        or "as the chapter's does." in html
    )
    assert "<em>lesson</em> &lt;b&gt;" in html
