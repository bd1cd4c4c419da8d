"""A scenario out of what a visitor made: checked on the models in use, and taken away as a zip. Values in, Views out.

Left out: building and zipping it (own_scenario.py, scenario_zip.py), and measuring (holds.py, lint.py).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from rerank_core.errors import RerankError
from rerank_core.holds import expect_now, holds
from rerank_core.lint import JUDGED_DEPTH, RETRIEVE_K, lint_scenario
from rerank_core.own_scenario import OwnQuery, OwnWords, own_scenario, with_ids_of_its_own
from rerank_core.pipeline import Comparison
from rerank_core.records import Progress, Reranked
from rerank_core.scenario_zip import write_zip
from rerank_core.scenarios import Expect, Scenario
from ui import own_views as views
from ui.asked import said_privately
from ui.desk import Desk
from ui.faults import says_why_in
from ui.grades import Marks, marks_from
from ui.own_corpus import Own
from ui.own_view import AS_OPENED, NOW, OwnView
from ui.view import OURS

SLICE = "own"
"""The slice of a scenario that was made here; one that was opened keeps its own."""


def _no_download() -> dict[str, Any]:
    return {"download": ""}


says_why = says_why_in(OwnView, said_privately, "report", _no_download)


class OwnTake:
    """The handlers of what is taken away."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @says_why
    def check(
        self, token: str, marks: str, title: str, lesson: str, note: str, must_hold: str,
        request: gr.Request,
    ) -> Iterator[OwnView]:  # fmt: skip
        """Make the scenario, run its queries, say what holds and by how much, and offer the zip."""
        session = request.session_hash
        own = self.desk.own(token)
        marked = marks_from(marks)
        words = OwnWords(
            title or "", own.scenario.slice if own.scenario else SLICE, lesson or "", note or ""
        )
        asked = _asked(own, marked)
        own_scenario(
            words, asked, own.corpus.passages
        )  # what is missing is said before any pair is read
        compared: list[Comparison] = []
        for i, query in enumerate(asked, 1):
            for item in _compare(own, query.text, session):
                if isinstance(item, Comparison):
                    compared.append(item)
                else:
                    yield OwnView(report=views.checking(i, len(asked), item), download="")
        expected = [_expected(own, q, c, must_hold) for q, c in zip(asked, compared, strict=True)]
        scenario = own_scenario(words, expected, own.corpus.passages)
        yield self._report(own, scenario, compared)

    def zip(self, token: str) -> dict[str, str]:
        """The zip that was made last, for the page's script: name and base64, or in `fault` one sentence."""
        try:
            name, data = self.desk.own(token).zipped or ("", b"")
            if not name:
                return {"fault": "There is no scenario yet; check it first."}
            return {"name": name, "data": base64.b64encode(data).decode()}
        except RerankError as error:
            return {"fault": str(error)}
        except Exception as error:
            said_privately(error, "zip")
            return {"fault": OURS}

    def _report(self, own: Own, scenario: Scenario, compared: Sequence[Comparison]) -> OwnView:
        by_id = {q.id: c for q, c in zip(scenario.queries, compared, strict=True)}
        found = lint_scenario(scenario, by_id)
        held = [(query, holds(query, by_id[query.id])) for query in scenario.queries]
        cards = [own.engine.encoder_card, own.engine.scorer_card]
        comments = [
            f"Checked at N = {RETRIEVE_K} on {c.kind} {c.name}, hash {c.model_hash}." for c in cards
        ]
        comments += [f"{q.id}, {views.hold_words(h)}" for q, hs in held for h in hs]
        taken = with_ids_of_its_own(scenario)
        own.zipped = f"{taken.id}.zip", write_zip(taken, comments)
        return OwnView(
            report=views.report(held, found, cards, len(scenario.passages)),
            download=views.download(own.zipped[0], len(own.zipped[1])),
        )


def _asked(own: Own, marked: Marks) -> list[OwnQuery]:
    """Every query of an opened scenario and every other one with marks; marks of passages not here do not count."""
    opened = {q.text: q for q in own.scenario.queries} if own.scenario else {}
    found = []
    for text in dict.fromkeys((*opened, *marked)):
        relevance = {d: g for d, g in marked.get(text, {}).items() if d in own.passages}
        if text in opened:
            q = opened[text]
            found.append(
                OwnQuery(text, relevance, predict=q.predict, slice=q.slice, chosen=q.chosen)
            )
        elif relevance:
            found.append(OwnQuery(text, relevance))
    return found


def _expected(own: Own, query: OwnQuery, comparison: Comparison, must_hold: str) -> OwnQuery:
    expect = Expect()
    if must_hold == NOW:
        expect = expect_now(comparison, query.relevance)
    elif must_hold == AS_OPENED and own.scenario:
        expect = next((q.expect for q in own.scenario.queries if q.text == query.text), expect)
    return OwnQuery(query.text, query.relevance, expect, query.predict, query.slice, query.chosen)


def _compare(own: Own, query: str, session: str | None) -> Iterator[Progress | Comparison]:
    retrieved = own.retrieve(query, RETRIEVE_K)
    for item in own.rerank_stream(retrieved, session):
        if isinstance(item, Reranked):
            yield Comparison.of(retrieved, item, JUDGED_DEPTH)
        else:
            yield item
