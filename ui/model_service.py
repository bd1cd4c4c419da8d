"""The models that visitors choose: fetched, loaded and, for a bi-encoder, given the library to encode, when asked for.

Everybody shares the shelf (at most two of each kind in memory), the turns and the kept scores; nobody's choice changes
another's, since a choice is a visitor's own value and nothing here remembers one. Knows no Gradio.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from rerank_core import hub, limits
from rerank_core.corpus import Corpus
from rerank_core.errors import RerankError
from rerank_core.hub_download import download
from rerank_core.models import (
    BI_ENCODER,
    CROSS_ENCODER,
    EMBEDDED_BI_ENCODER,
    EMBEDDED_CROSS_ENCODER,
    KNOWN,
    Encoder,
    Known,
    PairScorer,
    find_known,
)
from rerank_core.pipeline import TwoStage
from rerank_core.shelf import ModelShelf
from ui.model_choice import Choice
from ui.model_jobs import Done, Jobs, OnStep, Step
from ui.model_settings import ModelSettings
from ui.service import Service

log = logging.getLogger(__name__)
MIB = 1024 * 1024
Fetch = Callable[[Known, Callable[[int, int], None]], None]


@dataclass(frozen=True)
class Ready:
    """A pair of models that can be used now: hold it for one answer, not longer.

    `corpus` is the library in this bi-encoder's vectors; what loading and encoding took is in milliseconds, None where
    not known.
    """

    engine: TwoStage
    corpus: Corpus
    load_ms: float | None = None
    index_ms: float | None = None


class Models:
    """The choosable models of one Service. Safe from many threads."""

    def __init__(
        self,
        service: Service,
        settings: ModelSettings | None = None,
        *,
        shelf: ModelShelf | None = None,
        fetch: Fetch = download,
    ) -> None:
        self.service = service
        self.settings = settings or ModelSettings()
        self.shelf = shelf or ModelShelf(allow_any=self.settings.any_name)
        self._fetch = fetch
        self._fetching = threading.Lock()
        self._jobs = Jobs()
        self._libraries: OrderedDict[str, Corpus] = OrderedDict()
        self._load_ms: dict[str, float] = {}
        self._lock = threading.Lock()

    def at_hand(self, choice: Choice) -> bool:
        """Whether every model of the choice can be had without a network."""
        return all(self._is_here(name) for name in choice.names)

    def prepare(self, choice: Choice) -> Iterator[Step | Ready]:
        """Steps while models are fetched, loaded and the library is encoded, and last the pair as a Ready.

        Nothing is done for what is ready, so that the embedded pair comes at once. The second cross-encoder is
        prepared like any, by asking for its own pair. Raises RerankError in one sentence.
        """
        self.service.wait()
        if choice.embedded:
            yield Ready(
                self.service.engine,
                self.service.corpus,
                self.service.load_ms,
                self.service.index_ms,
            )
            return
        encoder, corpus = None, self.service.corpus
        if choice.bi_encoder != EMBEDDED_BI_ENCODER:
            for item in self._prepared(BI_ENCODER, choice.bi_encoder, self._encoder_work):
                if isinstance(item, Step):
                    yield item
                else:
                    encoder, corpus = item
        scorer = None
        if choice.cross_encoder != EMBEDDED_CROSS_ENCODER:
            for item in self._prepared(CROSS_ENCODER, choice.cross_encoder, self._scorer_work):
                if isinstance(item, Step):
                    yield item
                else:
                    scorer = item
        engine = self.service.engine.sibling(encoder, scorer)
        load_ms = sum(self._load_ms.get(name, 0.0) for name in choice.pair.names) or None
        yield Ready(engine, corpus, load_ms, corpus.encode_ms or None)

    def _prepared(
        self, kind: str, name: str, work: Callable[[str, OnStep], Any]
    ) -> Iterator[Step | Any]:
        """Steps, and last what `work` gave."""
        first = Step(f"Loading {name}")
        for item in self._jobs.run(f"{kind} {name}", first, lambda on_step: work(name, on_step)):
            if isinstance(item, Done):
                yield item.value
            else:
                yield item

    def _encoder_work(self, name: str, on_step: OnStep) -> tuple[Encoder, Corpus]:
        encoder = self._loaded(name, BI_ENCODER, self.shelf.encoder, on_step)
        kept = self._library(encoder.card.model_hash)
        if kept is not None:
            return encoder, kept
        words = f"Encoding the library with {name}"
        corpus = self.service.index(
            self.service.engine.sibling(encoder),
            lambda done, total: on_step(Step(words, done, total)),
        )
        with self._lock:
            self._libraries[encoder.card.model_hash] = corpus
            while len(self._libraries) > limits.KEPT_LIBRARIES:
                self._libraries.popitem(last=False)
        return encoder, corpus

    def _scorer_work(self, name: str, on_step: OnStep) -> PairScorer:
        known = self.shelf.holds(name)
        scorer = self._loaded(name, CROSS_ENCODER, self.shelf.scorer, on_step)
        if not known:  # nobody pays for the first forward pass
            scheduler, prepared = self.service.engine.scheduler, scorer.prepare("warm", ["warm"])
            scheduler.call(lambda: scorer.score(prepared))
            scheduler.pace(scorer).cold = False
        return scorer

    def _loaded(self, name: str, kind: str, load: Callable[[str], Any], on_step: OnStep) -> Any:
        known = find_known(name, kind, allow_any=self.settings.any_name)
        if self.shelf.holds(name):
            return load(name)
        if hub.local_copy(known) is None:
            self._fetch_in_turn(known, on_step)
        on_step(Step(f"Loading {name}"))
        started = perf_counter()
        model = load(name)
        self._load_ms[name] = (perf_counter() - started) * 1e3
        log.info("%s loaded in %.1f s", name, self._load_ms[name] / 1e3)
        return model

    def _fetch_in_turn(self, known: Known, on_step: OnStep) -> None:
        """One download at a time: the line is one, too."""
        if not self.settings.hub:
            raise RerankError(
                f"{known.name} is not on this machine, and whoever runs this page keeps it off the network "
                "(HF_HUB_OFFLINE); choose another model."
            )
        while not self._fetching.acquire(timeout=limits.HEARTBEAT_S):
            on_step(Step(f"{known.name} waits: another model is being fetched"))
        try:
            words = f"Fetching {known.name}"
            self._fetch(
                known, lambda done, total: on_step(Step(words, done // MIB, -(-total // MIB)))
            )
        finally:
            self._fetching.release()

    def _is_here(self, name: str) -> bool:
        if name in (EMBEDDED_BI_ENCODER, EMBEDDED_CROSS_ENCODER) or self.shelf.holds(name):
            return True
        return hub.local_copy(KNOWN.get(name) or Known(name, "", "unknown")) is not None

    def _library(self, model_hash: str) -> Corpus | None:
        with self._lock:
            if model_hash in self._libraries:
                self._libraries.move_to_end(model_hash)
            return self._libraries.get(model_hash)
