"""The engine and the library behind the page: loaded once, in the background, shared by all visitors.

The page shows while this loads; a fault becomes one sentence, and whatever does not need the models stays up. The
library's vectors are kept on the disk where the page is told so, so that a second start encodes nothing.
Knows no Gradio: handlers ask it, tests drive it with fakes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rerank_core import limits
from rerank_core.cache_folder import cache_bytes, cache_folder
from rerank_core.corpus import Corpus, OnProgress
from rerank_core.errors import FileError, InputError, RerankError
from rerank_core.kept_vectors import kept_corpus
from rerank_core.pipeline import TwoStage
from rerank_core.records import Progress, Ranking, Reranked, Retrieved
from rerank_core.scenarios import Library, Query, load_library
from ui.kept import Kept

log = logging.getLogger(__name__)
OPENS_WITH = "apple-sue-samsung"
"""The scenario that the page opens with, where the library has it: the same words in another order, and a difference
that the shipped cross-encoder does tell."""


class NotReadyError(RerankError):
    """The models are still loading, or could not be loaded; the message says which."""


class Service:
    """`library` is there at once (or raises FileError); `engine` and `corpus` once `wait` has returned.

    `keep_vectors` keeps the library's vectors in the cache folder. `index_ms` is what encoding the library took, None
    where vectors were kept from an earlier start.
    """

    def __init__(
        self, scenarios: Path, engine: TwoStage | None = None, *, keep_vectors: bool = False
    ) -> None:
        self.library: Library = load_library(scenarios)
        self.scenarios = tuple(
            sorted(self.library.scenarios, key=lambda s: (s.id != OPENS_WITH, s.title))
        )
        self.engine = engine or TwoStage()
        self.load_ms: float | None = None
        self.index_ms: float | None = None
        self.kept = Kept()
        self._keep_vectors = keep_vectors
        self._corpus: Corpus | None = None
        self._fault: str | None = None
        self._loaded = threading.Event()
        self._by_text = {_key(q.text): q for s in self.library.scenarios for q in s.queries}

    def start(self) -> None:
        """Begin to load, once; returns at once."""
        threading.Thread(target=self._load, name="load-models", daemon=True).start()

    def _load(self) -> None:
        try:
            started = time.perf_counter()
            self.engine.load()
            self.load_ms = (time.perf_counter() - started) * 1000
            log.info("models loaded in %.1f s", self.load_ms / 1000)
            started = time.perf_counter()
            self._corpus = self.index(self.engine)
            self.index_ms = self._corpus.encode_ms or None
            log.info(
                "%d passages indexed in %.1f s", len(self._corpus), time.perf_counter() - started
            )
            self.engine.warm().size_batches()
        except RerankError as fault:
            log.error("the models could not be loaded: %s", fault)
            self._fault = str(fault)
        except Exception:
            log.exception("the models could not be loaded")
            self._fault = "The models could not be loaded; the server's log says why."
        finally:
            self._loaded.set()

    def index(self, engine: TwoStage, progress: OnProgress | None = None) -> Corpus:
        """The library in an engine's vectors, those kept from an earlier start where there are any."""
        passages = self.library.passages
        if self._keep_vectors:
            try:
                folder, most = cache_folder(), cache_bytes()
                return kept_corpus(passages, engine.encoder, folder, most, log.warning, progress)
            except (FileError, InputError) as error:
                log.warning("the library's vectors are not kept: %s", error)
        return engine.corpus(passages, progress)

    @property
    def ready(self) -> bool:
        return self._loaded.is_set() and self._fault is None

    def wait(self, seconds: float = limits.LOAD_WAIT_S) -> None:
        """Return once the models are ready; NotReadyError where they are not after `seconds`, or never will be."""
        if not self._loaded.wait(seconds):
            raise NotReadyError(
                f"The models are still loading after {seconds:.0f} s; reload the page in a moment."
            )
        if self._fault is not None:
            raise NotReadyError(self._fault)

    @property
    def corpus(self) -> Corpus:
        self.wait()
        assert self._corpus is not None  # wait() raised otherwise
        return self._corpus

    def retrieve(self, query: str, retrieve_k: int) -> Retrieved:
        """Stage one over the library."""
        return self.engine.retrieve(query, self.corpus, retrieve_k)

    def rerank_stream(
        self, query: str, before: Ranking, visitor: str | None
    ) -> Iterator[Progress | Reranked]:
        """Stage two, with progress; the last item is the Reranked."""
        self.wait()
        return self.engine.rerank_stream(query, before, visitor=visitor)

    def written_query(self, text: str) -> Query | None:
        """The library's query with this text (spaces and case apart), whose judgements then apply."""
        return self._by_text.get(_key(text))


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()
