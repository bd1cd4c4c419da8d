"""The states of a comparison on the page: ranked, reading, revealed. From records to what each component shows.

Shared by Explore and Your own, which add what is theirs. A state is a dict, component name -> value; whoever has a
NamedTuple of components fills it from that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData
from markupsafe import Markup, escape

from rerank_core import limits
from rerank_core.pipeline import Comparison
from rerank_core.prediction import Verdict
from rerank_core.records import Progress, Ranking, Reranked, Retrieved, StageTiming
from rerank_core.trace import Trace
from ui import figures, results, views
from ui.costs import costs
from ui.kept import Kept
from ui.rows import SHOWN
from ui.trace_table import trace_rows, trace_table
from ui.view import buttons

Fields = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """Where a comparison stands, and what is known around it.

    `part` begins the ids of its elements; `link` is the address a copied link says; `question` is put to the visitor
    before the reveal. `relevance` is doc_id -> grade, None where nobody judged, `no_lift` what is said where there is
    no lift ("" for the library's words). With `asked`, the query, rows can be marked. `load_ms` and `index_ms` were
    paid once, in milliseconds. `kept`, where given, keeps what other visitors may be shown too.
    """

    top_k: int
    part: str = ""
    link: str = ""
    question: str = ""
    relevance: Mapping[str, int] | None = None
    no_lift: str = ""
    asked: str = ""
    load_ms: float | None = None
    index_ms: float | None = None
    kept: Kept | None = None

    def once(self, what: str, on: tuple[Hashable, ...], make: Callable[[], str]) -> str:
        """What `make` makes, or what it made before: `on` is all that it depends on beside this setting's own."""
        if self.kept is None:
            return make()
        grades = None if self.relevance is None else tuple(self.relevance.items())
        return self.kept.get((what, self.link, self.top_k, grades, *on), make)

    def costs(self, timings: Any, retrieved: Retrieved, backend: str | None = None) -> str:
        """What each stage cost, as a table; `backend` where the cross-encoder has answered."""
        return costs(
            timings,
            corpus_size=retrieved.corpus_size,
            load_ms=self.load_ms,
            index_ms=self.index_ms,
            backend=backend,
        )


def ranked(setting: Setting, retrieved: Retrieved) -> Fields:
    """Stage one has run; nothing is predicted yet and nothing revealed."""
    n = len(retrieved.ranking)
    before = partial(
        views.ranking_before, retrieved, top_k=setting.top_k, link=setting.link, part=setting.part, asked=setting.asked,
    )  # fmt: skip
    leaders = [(str(r), r) for r in range(2, min(n, SHOWN) + 1)]
    return {
        "message": views.message(""),
        "before": setting.once("before", _of(retrieved), before),
        "predict": gr.update(visible=True),
        "predict_head": views.predict_head(setting.question),
        "will_change": gr.update(value=None, interactive=True),
        "sure": gr.update(value=75, interactive=True),
        "leader": gr.update(choices=[*leaders, ("below", 0)], value=None, interactive=True),
        "new_in_top3": gr.update(value=None, interactive=True),
        "middle": gr.update(value=None, interactive=True),
        "lines": gr.update(visible=False),
        "after": views.waiting(n, part=setting.part),
        "verdict": "",
        "bars": _bars(retrieved.timings),
        "costs": setting.costs(retrieved.timings, retrieved),
        "trace": "",
        **buttons(n > 0),
    }


def _of(retrieved: Retrieved) -> tuple[Hashable, ...]:
    """What tells it from another first stage over the same library."""
    return (*_of_ranking(retrieved.ranking), retrieved.corpus_size, retrieved.model.scores_hash)


def _of_ranking(ranking: Ranking) -> tuple[Hashable, ...]:
    """Ids and scores: hashing a list's texts for every visitor takes longer than it may."""
    return ranking.doc_ids, tuple(row.score for row in ranking)


def of_both(comparison: Comparison) -> tuple[Hashable, ...]:
    """What tells it from another comparison over the same library."""
    reranked = comparison.reranked
    cached = tuple(pair.cached for pair in reranked.pairs)
    lists = (*_of(comparison.retrieved), *_of_ranking(comparison.after))
    return (*lists, cached, reranked.model.scores_hash)


def _bars(timings: Sequence[StageTiming]) -> PlotData:
    return PlotData(type="plotly", plot=figures.latency_json(timings))


def reading(n: int, progress: Progress, part: str = "") -> Fields:
    """The prediction is locked, the pairs are being read."""
    locked = gr.update(interactive=False)
    return {
        "message": views.message(""),
        "will_change": locked,
        "sure": locked,
        "leader": locked,
        "new_in_top3": locked,
        "middle": locked,
        "after": views.waiting(n, progress, part=part),
        **buttons(False),
    }


def read(
    retrieved: Retrieved,
    stream: Iterator[Progress | Reranked],
    top_k: int,
    part: str = "",
    crowd: int = 1,
) -> Iterator[Fields | Comparison]:
    """What the page shows while the pairs are read, and last the Comparison; that alone where all scores are kept.

    `crowd` is how many readings there are: from CROWD on, the first sign comes after CROWD_QUIET_S. A sign that took t
    seconds to send is followed by none for SILENT_SHARE times t: saying how far everybody in a crowd is must not take
    more than reading does.
    """
    n, begun, alone = len(retrieved.ranking), False, crowd < limits.CROWD
    silent_until = 0.0 if alone else monotonic() + limits.CROWD_QUIET_S
    for item in stream:
        if isinstance(item, Reranked):
            yield Comparison.of(retrieved, item, top_k)
        elif (now := monotonic()) >= silent_until:
            if begun:
                yield {"after": views.waiting(n, item, part=part)}
            else:  # at once: a wait of a moment is not worth a word
                yield reading(n, Progress(0, n) if alone else item, part)
            begun, sent = True, monotonic()
            silent_until = sent + limits.SILENT_SHARE * (sent - now)


def revealed(
    setting: Setting,
    comparison: Comparison,
    trace: Trace,
    judged: Verdict | None,
    counted: bool | str,
) -> Fields:
    """Both stages have run: the second list, what moved, lift, cost and trace; the prediction is scored.

    `counted` as `results.verdict` takes it.
    """
    relevance = None if setting.asked else setting.relevance
    before = partial(
        views.ranking_before, comparison.retrieved, top_k=setting.top_k, link=setting.link, after=comparison.after,
        relevance=relevance, part=setting.part, asked=setting.asked,
    )  # fmt: skip
    after = partial(
        views.ranking_after, comparison, relevance=relevance, part=setting.part, asked=setting.asked
    )
    rows = partial(trace_rows, comparison, setting.relevance)
    of_lists = (*_of(comparison.retrieved), *_of_ranking(comparison.after))
    of_pairs = of_both(comparison)
    return {
        "message": views.message(""),
        "before": setting.once("before", of_lists, before),
        "predict": gr.update(visible=False),
        "lines": gr.update(visible=True),
        "after": setting.once("after", of_pairs, after),
        "verdict": verdict(setting, comparison, judged, counted),
        "bars": _bars(comparison.timings),
        "costs": setting.costs(
            comparison.timings, comparison.retrieved, comparison.reranked.model.backend
        ),
        "trace": trace_table(
            comparison,
            trace,
            Markup(setting.once("trace", of_pairs, rows)),
            Markup(setting.once("csv", of_pairs, lambda: escape(trace.to_csv()))),
        ),
    }


def verdict(
    setting: Setting, comparison: Comparison, judged: Verdict | None, counted: bool | str
) -> str:
    """What the reveal says below the lists."""
    return results.verdict(
        comparison, relevance=setting.relevance, judged=judged, counted=counted,
        no_lift=setting.no_lift, part=setting.part,
    )  # fmt: skip
