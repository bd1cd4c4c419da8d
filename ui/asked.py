"""What a control sent, held to its bounds; and what a visitor reads of an error.

Left out: the sentences of errors themselves, which say what was found and what is allowed.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

from rerank_core.errors import InputError, ModelError, RerankError
from ui.view import OURS

log = logging.getLogger(__name__)


def number(value: Any, what: str, low: float, high: float) -> float:
    """A finite number from `low` to `high`, or InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise InputError(f"{what} is a number from {low:,} to {high:,}, not {str(value)[:40]!r}.")
    if not low <= value <= high:
        raise InputError(f"{what} runs from {low:,} to {high:,}, not {value:,}.")
    return float(value)


def whole(value: Any, what: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`, or InputError."""
    if number(value, what, low, high) % 1:
        raise InputError(f"{what} is a whole number from {low} to {high}, not {value}.")
    return int(value)


def said(error: Exception, where: str) -> str:
    """One sentence for a visitor; the log gets what they should not see."""
    if isinstance(error, RerankError) and not isinstance(error, ModelError):
        return str(error)
    log.error("in %s", where, exc_info=error)
    return OURS


def said_privately(error: Exception, where: str) -> str:
    """As `said`, where texts are private: the log gets an error's kind and place, not its words, which may quote."""
    if isinstance(error, RerankError) and not isinstance(error, ModelError):
        return str(error)
    cause: BaseException | None = error
    while cause is not None:
        frames = "".join(traceback.format_tb(cause.__traceback__))
        log.error("in %s: %s\n%s", where, type(cause).__name__, frames)
        cause = cause.__cause__
    return OURS
