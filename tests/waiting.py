"""Coroutines in tests. Playwright keeps an event loop running in the main thread, so each gets a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def finished(work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
    """The result of a coroutine, whatever else runs in this thread; TimeoutError after `seconds`."""

    async def bounded() -> T:
        return await asyncio.wait_for(work, seconds)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, bounded()).result()
