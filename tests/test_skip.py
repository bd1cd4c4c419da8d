"""The skip rule: its ends, its sums, and that a scenario's own t was chosen without it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools import cases

from rerank_core.errors import InputError
from rerank_core.evaluate import Case, evaluate
from rerank_core.pool import Pool
from rerank_core.skip import ALWAYS, choose_t, cross_validated, skip_curve, thresholds


def case(i: int, scenario: str, margin: float, helps: bool) -> Case:
    logits = (1.0, 2.0) if helps else (2.0, 1.0)
    relevance = {"b": 3} if helps else {"a": 3}
    return Case(
        f"q-{i}", scenario, "x", Pool("q", ("a", "b"), (0.9, 0.9 - margin), logits, (), relevance)
    )


@given(cases(), st.floats(0, 50))
def test_the_ends_and_the_sums(some: list[Case], ms: float):
    results = evaluate(some, 4, 3)
    points = skip_curve(results, thresholds(results), ms)
    first, last = points[0], points[-1]
    full = sum(r.lift for r in results) / len(results)
    assert (first.t, first.share, first.lift, first.ms) == (0.0, 0.0, 0.0, 0.0)
    assert (last.t, last.share) == (ALWAYS, 1.0)
    assert last.lift == pytest.approx(full, abs=1e-12)
    assert last.ms == pytest.approx(4 * ms)
    for p in points:
        reranked = [r for r in results if r.margin < p.t]
        assert p.share == pytest.approx(len(reranked) / len(results))
        assert p.lift == pytest.approx(sum(r.lift for r in reranked) / len(results), abs=1e-12)
        assert p.ms + p.ms_saved == pytest.approx(4 * ms)
        assert p.lift + p.lift_lost == pytest.approx(full, abs=1e-12)
    assert all(a.share <= b.share for a, b in pairwise(points))


@given(cases())
def test_the_chosen_t_keeps_what_it_must_and_no_smaller_one_does(some: list[Case]):
    results = evaluate(some, 4, 3)
    t = choose_t(results, 0.9)
    points = skip_curve(results, thresholds(results), 1.0)
    full = points[-1].lift
    if full > 0:
        assert next(p for p in points if p.t == t).lift >= 0.9 * full - 1e-9
        assert all(p.lift < 0.9 * full for p in points if p.t < t)
    else:
        assert t == 0


@given(cases())
def test_a_scenario_has_no_say_in_its_own_t(some: list[Case]):
    results = evaluate(some, 4, 3)
    found = cross_validated(results, 1.0)
    names = {r.scenario_id for r in results}
    if len(names) < 2:
        assert found is None
        return
    lift = 0.0
    for name in names:
        t = choose_t([r for r in results if r.scenario_id != name])
        assert found.chosen[name] == t
        lift += sum(r.lift for r in results if r.scenario_id == name and r.margin < t)
    assert found.point.lift == pytest.approx(lift / len(results), abs=1e-12)


def test_held_out_scenarios_show_what_flattered():
    """In the odd scenario only sure queries gain: the t of all others leaves them out."""
    some = [case(i, f"s{i % 3}", 0.1, True) for i in range(6)]
    some += [case(i, f"s{i % 3}", 0.4, False) for i in range(6, 9)]
    odd = [case(9, "odd", 0.5, True)]
    results = evaluate([*some, *odd], 2, 2)
    found = cross_validated(results, 10.0)
    assert found.chosen["odd"] == pytest.approx(0.25)
    assert choose_t(results) == ALWAYS
    assert found.point.lift < skip_curve(results, [ALWAYS], 10.0)[0].lift
    assert "cross-validated over scenarios" in found.method


def test_a_single_candidate_is_never_reranked():
    alone = Case("q", "s", "x", Pool("q", ("a",), (0.9,), (1.0,), (), {"a": 3}))
    results = evaluate([alone], 1, 1)
    assert thresholds(results) == (0.0, ALWAYS)
    assert skip_curve(results, [ALWAYS], 1.0)[0].share == 0


def test_nothing_and_negative_times():
    assert skip_curve([], [0.1], 1.0) == ()
    assert cross_validated([], 1.0) is None
    with pytest.raises(InputError, match=r"-1 ms; give 0 or more"):
        skip_curve([], [0.1], -1)
