"""A visitor's passages encoded while the page shows how far it is: in turns with everybody else, and can be left.

Left out: where the corpus goes then.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

from rerank_core import limits
from rerank_core.corpus import Corpus
from rerank_core.errors import BusyError, CancelledError
from rerank_core.pipeline import TwoStage
from rerank_core.records import Passage, Progress

_places = threading.BoundedSemaphore(limits.OWN_ENCODING)


def encode_stream(engine: TwoStage, passages: Sequence[Passage]) -> Iterator[Progress | Corpus]:
    """Progress in distinct texts, at least every HEARTBEAT_S seconds, and last the Corpus.

    Closing the iterator leaves: nothing is encoded after the batch under way. Raises BusyError where OWN_ENCODING
    others encode already, and what encoding raises.
    """
    places = _places
    if not places.acquire(blocking=False):
        raise BusyError(
            f"{limits.OWN_ENCODING} visitors encode passages of their own just now, and more would make all of them "
            "wait; try again in a minute.",
            60.0,
        )
    left = threading.Event()
    told: queue.SimpleQueue[Progress | Corpus | BaseException] = queue.SimpleQueue()

    def progress(done: int, total: int) -> None:
        if left.is_set():
            raise CancelledError("The visitor left.")
        told.put(Progress(done, total))

    def work() -> None:
        try:
            told.put(engine.corpus(passages, progress))
        except BaseException as error:
            told.put(error)
        finally:
            places.release()

    threading.Thread(target=work, name="encode-own", daemon=True).start()
    return _told(told, left, len({p.text for p in passages}))


def _told(
    told: queue.SimpleQueue[Progress | Corpus | BaseException], left: threading.Event, total: int
) -> Iterator[Progress | Corpus]:
    last = Progress(0, total, waiting=True)
    try:
        yield last
        while True:
            try:
                item = told.get(timeout=limits.HEARTBEAT_S)
            except queue.Empty:
                yield last
                continue
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, Corpus):
                return
            last = item
    finally:
        left.set()
