"""Many visitors at once: one computation, turns, a wait that is announced, caches within bounds, and light answers."""

from __future__ import annotations

import json
import threading
import time
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fakes import Clock, FakeEncoder, FakeScorer, some_passages
from gradio.state_holder import SessionState
from waiting import finished

from rerank_core import limits
from rerank_core.pipeline import TwoStage
from rerank_core.records import Progress, Reranked, StageTiming
from rerank_core.score_cache import ScoreCache
from ui import compare_states, figures
from ui.handlers import Explore
from ui.kept import Kept
from ui.layout import build_app
from ui.page_blocks import PageBlocks
from ui.service import Service
from ui.view import SKIP, LastView, View

SCENARIOS = Path(__file__).parents[1] / "scenarios"
FIRST, TEXT = "python-pet-care", "python pet care"
VISITORS = 200


def at_once(n: int, work: Any) -> list[Any]:
    """`work(i)` in n threads that all begin together; what each gave, in order."""
    begin, given = threading.Barrier(n), [None] * n

    def run(i: int) -> None:
        begin.wait(30)
        given[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return given


# The engine


def test_200_visitors_with_one_query_cause_one_computation():
    encoder, scorer = FakeEncoder(), FakeScorer(sleep_s=0.005)
    engine = TwoStage(encoder, scorer)
    corpus = engine.corpus(some_passages(120))
    encoder.calls.clear()

    def ask(i: int) -> tuple[str, ...]:
        before = engine.retrieve("thing number 7", corpus, 50).ranking
        *_, last = engine.rerank_stream("thing number 7", before, visitor=i)
        return last.ranking.doc_ids

    answers = at_once(VISITORS, ask)
    assert len(set(answers)) == 1
    assert (encoder.texts, scorer.pairs) == (1, 50)


def test_with_200_different_queries_everybody_has_a_turn_before_anybody_has_the_next():
    gate, scorer = threading.Event(), FakeScorer()
    scorer.gate = gate
    engine = TwoStage(FakeEncoder(), scorer, max_wait_s=1e6)  # nobody is refused
    passages = some_passages(80)
    before = engine.retrieve("anything", engine.corpus(passages), len(passages)).ranking
    first_sign: list[Progress | None] = [None] * VISITORS
    queued = threading.Barrier(VISITORS + 1)

    def ask(i: int) -> int:
        stream = engine.rerank_stream(f"query {i}", before, visitor=i)
        first_sign[i] = next(stream)
        queued.wait(30)
        *_, last = stream
        return len(last.ranking)

    def open_gate() -> None:
        queued.wait(30)  # every visitor's work is queued
        gate.set()

    opener = threading.Thread(target=open_gate)
    opener.start()
    assert at_once(VISITORS, ask) == [len(passages)] * VISITORS
    opener.join(10)
    # The first forward pass ran while the others were still coming; from then on it goes round.
    turns = scorer.queries[1:]
    for visitor in set(turns):
        mine = [at for at, query in enumerate(turns) if query == visitor]
        assert all(b - a <= VISITORS for a, b in pairwise(mine)), visitor
    assert len(turns) >= 2 * VISITORS - 1, "more than one turn each, else this says nothing"
    waiting = [sign for sign in first_sign if sign is not None and sign.waiting]
    assert len(waiting) >= VISITORS - 1, "all but the one that is read are told that they wait"


def test_after_10_000_queries_the_caches_are_within_their_bounds():
    engine = TwoStage(FakeEncoder(), FakeScorer(), cache=ScoreCache(500))
    corpus = engine.corpus(some_passages(6))
    for i in range(10_000):
        engine.compare(f"query {i}", corpus, retrieve_k=5, top_k=3)
    assert len(engine.cache) == 500
    assert len(engine._queries._kept) == limits.CACHE_QUERIES
    assert engine.cache._under_way == {}
    assert not engine.scheduler._short
    assert not engine.scheduler._long


# What the page says meanwhile


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(compare_states, "monotonic", made)
    return made


def signs(
    clock: Clock, items: list[float], took: float = 0.0, crowd: int = 1
) -> list[dict[str, Any]]:
    """What `read` shows of a stream that says something at these seconds, at first that it waits, and then answers;
    sending what is shown takes `took`."""
    engine = TwoStage(FakeEncoder(), FakeScorer())
    retrieved = engine.retrieve("thing", engine.corpus(some_passages(5)), 5)
    *_, answer = engine.rerank_stream("thing", retrieved.ranking)

    def stream() -> Any:
        for i, at in enumerate(items):
            clock.now = max(clock.now, at)
            yield Progress(i, 5, waiting=i < 2)
        yield answer

    shown = []
    for item in compare_states.read(retrieved, stream(), 3, crowd=crowd):
        if isinstance(item, dict):
            shown.append(item)
            clock.now += took
    return shown


def test_an_answer_that_is_kept_comes_alone(clock: Clock):
    assert signs(clock, []) == []


def test_a_wait_is_announced_and_the_prediction_locked(clock: Clock):
    first, *others = signs(clock, [0.0, 0.1, 0.2])
    assert "0 of 5 pairs read" in first["after"]
    assert first["commit"] == gr.update(interactive=False)
    assert all(set(sign) == {"after"} for sign in others)
    assert ["Waiting for the model to be free" in sign["after"] for sign in others] == [True, False]
    assert "2 of 5 pairs read" in others[1]["after"]


def test_signs_become_fewer_where_sending_one_takes_long(clock: Clock):
    at = [i / 50 for i in range(20)]
    assert len(signs(clock, at)) == 20
    clock.now = 0.0
    assert len(signs(clock, at, took=0.1)) == 1


def test_in_a_crowd_what_ends_within_a_second_comes_without_a_sign(clock: Clock):
    assert signs(clock, [0.0, 0.5, 0.9], crowd=limits.CROWD) == []
    clock.now = 0.0
    late = signs(clock, [0.0, 1.2, 1.5], crowd=limits.CROWD)
    assert len(late) == 2
    assert "Waiting for the model to be free" in late[0]["after"], "it is told as it stands"
    clock.now = 0.0
    assert len(signs(clock, [0.0, 0.5], crowd=limits.CROWD - 1)) == 2


# What an answer costs


@pytest.fixture(scope="module")
def service() -> Service:
    service = Service(SCENARIOS, TwoStage(FakeEncoder(), FakeScorer()))
    service.start()
    service.wait(30)
    return service


def request() -> Any:
    return SimpleNamespace(query_params={}, session_hash="visitor")


def test_what_is_kept_is_answered_in_one_piece_and_lists_are_made_once(service: Service):
    explore = Explore(service)
    for _ in range(2):
        views = list(explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request()))
    assert len(views) == 1
    assert isinstance(views[0], LastView)
    again = next(iter(explore.just_show(FIRST, TEXT, 20, 5, TEXT, [], request())))
    for name in ("before", "after"):
        assert getattr(again, name) is getattr(views[0], name)


def test_whoever_has_an_answer_is_in_the_crowd_no_more(service: Service):
    explore = Explore(service)
    asked = (FIRST, TEXT, 20, 5, TEXT, [], request())
    list(explore.just_show(*asked))  # from now on all is kept
    runs = [explore.just_show(*asked) for _ in range(10)]
    assert all(isinstance(next(run), LastView) for run in runs)
    with explore.crowd.one_more() as inside:
        assert inside == 1, "Gradio drops a handler after its last answer, and may keep it a while"


def test_nothing_is_kept_of_what_a_visitor_typed(service: Service):
    explore, before = Explore(service), len(service.kept)
    for _ in range(2):
        list(explore.just_show(FIRST, "my own", 20, 5, "my own", [], request()))
    assert len(service.kept) == before


def test_kept_html_is_bounded_and_the_oldest_goes():
    kept, made = Kept(2), []

    def make(key: str) -> Any:
        return lambda: made.append(key) or key

    for key in "abacab":
        assert kept.get(key, make(key)) == key
    assert "".join(made) == "abcb"
    assert len(kept) == 2


def test_a_crowd_makes_each_text_once():
    kept, made = Kept(), []

    def make() -> str:
        made.append(1)
        time.sleep(0.05)
        return "made"

    assert at_once(20, lambda i: kept.get("key", make)) == ["made"] * 20
    assert len(made) == 1


def test_the_bars_without_a_figure_are_the_figure():
    for timings in (
        [],
        [StageTiming("wait", 1.0), StageTiming("encode query", 12.5)],
        [StageTiming("cross-encode", 0.2, pairs=50, tokens=4000, cached=50, live_ms=640.0)],
    ):
        figure = json.loads(figures.latency_bars(timings).to_json())
        assert json.loads(figures.latency_json(timings)) == figure


def of_explore(app: gr.Blocks, name: str) -> Any:
    (found,) = (f for f in app.fns.values() if f.name == name and f.fn.__module__ == "ui.handlers")
    return found


def answered(app: gr.Blocks, view: View) -> list[Any]:
    fn = of_explore(app, "commit")
    return finished(
        app.postprocess_data(fn, deepcopy(view), SessionState(app))
    )  # it takes values out


def sent(value: Any) -> Any:
    """Of an HTML that stays as it is Gradio says so twice: within itself, as a value for a template that has none."""
    return SKIP if value == {**SKIP, "props": SKIP} else value


def test_answers_are_those_of_gradio_itself(service: Service, monkeypatch: pytest.MonkeyPatch):
    app, explore = build_app(service), Explore(service)
    views = [
        View(),
        View(leader=gr.update(choices=[("2", 2)], value=None, interactive=True)),
        *explore.choose_scenario(FIRST, 20, 5),
        *explore.commit(FIRST, TEXT, 20, 5, TEXT, "yes", 80, 2, 1, "same", [], request()),
    ]
    ours = [answered(app, view) for view in views]
    monkeypatch.setattr(PageBlocks, "postprocess_data", gr.Blocks.postprocess_data)
    assert ours == [[sent(value) for value in answered(app, view)] for view in views]
    assert ours[0] == [SKIP] * len(View._fields)


def test_only_a_first_and_last_answer_ends_at_once(service: Service):
    app = build_app(service)
    fn = of_explore(app, "just_show")
    asked = [FIRST, TEXT, 20, 5, TEXT, [], "", ""]
    models = next(c for c in fn.inputs if getattr(c, "value", None) and c is fn.inputs[-2])
    asked[-2:] = [models.value] * 2
    result = finished(
        app.process_api(fn, asked, request=SimpleNamespace(session_hash="v", query_params={}))
    )
    assert result["is_generating"] is False
    assert any("final" in value for value in result["data"] if isinstance(value, str))


def test_a_reading_of_the_stream_ends_with_the_answer():
    engine = TwoStage(FakeEncoder(), FakeScorer())
    *_, last = engine.rerank_stream("q", engine.retrieve("q", some_passages(5), 5).ranking)
    assert isinstance(last, Reranked)
