"""What happens on Scores: plain values in, a ScoresView out. Only `open` can ask a model; the slider derives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple

import gradio as gr

from rerank_core import limits
from rerank_core.depth import DEPTH_MAX
from rerank_core.errors import RerankError
from rerank_core.pool import Pool
from rerank_core.records import Progress
from ui import scores_figures as figures
from ui import scores_views as views
from ui.asked import number, said, whole
from ui.cutoffs import Cutoffs, cutoffs, keeping
from ui.depth_views import STOPPED
from ui.pools import Pools
from ui.rulers import candidates, rulers
from ui.stored import Stored, StoredBoard
from ui.view import SKIP

LOGIT_MAX = 40.0
"""The largest threshold that the slider may send, either way: beyond any logit of the models here."""


class ScoresView(NamedTuple):
    """What one event sets on Scores; field names are component names."""

    head: Any = SKIP
    stop: Any = SKIP
    score: Any = SKIP
    rulers: Any = SKIP
    why: Any = SKIP
    explorer: Any = SKIP
    threshold: Any = SKIP
    no_board: Any = SKIP
    cut: Any = SKIP
    plot: Any = SKIP
    table: Any = SKIP


class Scores:
    """The handlers of the Scores part, over the kept pools and the stored board."""

    def __init__(self, pools: Pools, stored: StoredBoard) -> None:
        self.pools = pools
        self.stored = stored
        self.service = pools.service
        self._cutoffs = lru_cache(maxsize=4)(self._fresh)

    def open(self, query: str, retrieve_k: Any, request: gr.Request) -> Iterator[ScoresView]:
        """The tab was chosen: read the pool's pairs unless it is kept, then show all."""
        try:
            n = whole(retrieve_k, "N", 1, DEPTH_MAX)
            if not self.pools.holds(query):
                yield self._reading(query, Progress(0, DEPTH_MAX))
            for item in self.pools.stream(query, request.session_hash):
                if isinstance(item, Pool):
                    yield self._scored(item, n)
                else:
                    yield self._reading(query, item)
        except Exception as error:
            yield ScoresView(
                head=views.head(str(query), "idle", fault=said(error, "scores")),
                stop=gr.update(visible=False),
                score=gr.update(visible=True),
            )

    def cut(self, retrieve_k: Any, threshold: Any) -> ScoresView:
        """The threshold moved."""
        try:
            n = whole(retrieve_k, "N", limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX)
            t = number(threshold, "The threshold", -LOGIT_MAX, LOGIT_MAX)
            stored = self.stored.get()
            if stored.board is None:
                return ScoresView(
                    no_board=views.no_cutoffs(stored.why), explorer=gr.update(visible=False)
                )
            return self._cut(stored, self._cutoffs(stored, n), t)
        except Exception as error:
            return ScoresView(cut=views.no_cutoffs(said(error, "scores")))

    def stop(self, query: str) -> ScoresView:
        """The run was stopped; what was read so far is kept by the engine and need not be read again."""
        return ScoresView(
            head=views.head(query, "idle", STOPPED),
            stop=gr.update(visible=False),
            score=gr.update(visible=True),
        )

    def _reading(self, query: str, progress: Progress) -> ScoresView:
        return ScoresView(
            head=views.head(query, "reading", progress=progress),
            rulers="",  # what stands there is another query's
            why="",
            stop=gr.update(visible=True),
            score=gr.update(visible=False),
        )

    def _scored(self, pool: Pool, n: int) -> ScoresView:
        card = self.service.engine.scorer_card
        found = candidates(pool, n, card, self.pools.passages)
        judged = self.service.written_query(pool.query) is not None
        words = f"The first {len(found)} candidates, scored live by the models in use."
        return self._explorer(n)._replace(
            head=views.head(pool.query, "final", words),
            stop=gr.update(visible=False),
            score=gr.update(visible=False),
            rulers=rulers(found, judged=judged),
            why=views.why(found),
        )

    def _explorer(self, n: int) -> ScoresView:
        """The threshold explorer as it begins: at the cut that keeps as many pairs as are relevant."""
        try:
            stored = self.stored.get()
            found = self._cutoffs(stored, n) if stored.board else None
            why = (
                ""
                if found and found.logit
                else stored.why or "No query of the board has a relevant candidate."
            )
        except RerankError as error:
            found, why = None, said(error, "the stored board")
        if found is None or why:
            return ScoresView(no_board=views.no_cutoffs(why), explorer=gr.update(visible=False))
        low, high = floor(found.logit[-1].threshold), ceil(found.logit[0].threshold)
        t = round(keeping(found.logit, found.relevant).threshold, 1)
        return self._cut(stored, found, t)._replace(
            no_board="",
            explorer=gr.update(visible=True),
            threshold=gr.update(minimum=low, maximum=high, value=t),
            table=views.table(found, self.service.engine.scorer_card),
        )

    def _cut(self, stored: Stored, found: Cutoffs, t: float) -> ScoresView:
        card = self.service.engine.scorer_card
        return ScoresView(
            cut=views.cut(found, t, card, stored.made_on),
            plot=figures.precision_recall(found, t, card),
        )

    def _fresh(self, stored: Stored, n: int) -> Cutoffs:
        return cutoffs(stored.cases(), n, self.service.engine.scorer_card)
