"""What a visitor keeps of passages that fooled a model, to and from the browser, which alone holds it.

What a browser hands back is a stranger's: whatever is not a well-formed entry is dropped without a word.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rerank_core import limits
from rerank_core.errors import InputError
from rerank_core.fooled import KINDS, Duel, Fooled, Reading

WEIGHTS_CHARS = 80
"""Characters that name the weights of two models."""


def kept_to(items: Sequence[Fooled]) -> list[list[Any]]:
    """Entries as JSON: [[query, right, wrong, kind, weights, reading of right, reading of wrong], ...]."""
    return [
        [i.query, i.right, i.wrong, i.kind, i.weights, _to(i.duel.right), _to(i.duel.wrong)]
        for i in items
    ]


def kept_from(raw: Any) -> tuple[Fooled, ...]:
    """Entries from JSON that a browser kept; what is malformed, or does not fool a model, is left out."""
    if not isinstance(raw, list):
        return ()
    found = {item.key: item for item in map(_from, raw[-limits.FOOLS_KEPT :]) if item}
    return tuple(found.values())


def with_new(items: Sequence[Fooled], new: Fooled) -> tuple[Fooled, ...]:
    """The entries with `new` at the end, in place of one of the same query and text.

    Raises InputError where there is no room: nothing goes that the visitor did not remove.
    """
    kept = (*(item for item in items if item.key != new.key), new)
    if len(kept) > limits.FOOLS_KEPT:
        raise InputError(
            f"You keep {limits.FOOLS_KEPT} passages, the most that are kept; download them, then remove one."
        )
    size = len(json.dumps(kept_to(kept), ensure_ascii=False).encode())
    if size > limits.FOOLS_BYTES:
        raise InputError(
            f"With this one your passages have {size / 1024:.0f} KB, more than the {limits.FOOLS_BYTES // 1024} KB "
            "that are kept; download them, then remove one."
        )
    return kept


def without(items: Sequence[Fooled], key: str) -> tuple[Fooled, ...]:
    """The entries without the one of that key."""
    return tuple(item for item in items if item.key != key)


def _to(reading: Reading) -> list[float | None]:
    return [reading.cosine, reading.logit, reading.probability]


def _from(entry: Any) -> Fooled | None:
    match entry:
        case [str() as query, str() as right, str() as wrong, str() as kind, str() as weights, one, two]:  # fmt: skip
            readings = _reading(one), _reading(two)
            texts = (
                0 < len(query) <= limits.QUERY_MAX_CHARS
                and 0 < len(right) <= limits.OWN_CHARS
                and 0 < len(wrong) <= limits.OWN_CHARS
                and _is_unicode(query + right + wrong)
            )
            if not texts or kind not in KINDS or len(weights) > WEIGHTS_CHARS:
                return None
            if readings[0] is None or readings[1] is None:
                return None
            found = Fooled(query, right, wrong, kind, Duel(readings[0], readings[1]), weights)
            return found if found.duel.fools else None
    return None


def _reading(raw: Any) -> Reading | None:
    match raw:
        case [int() | float() as cosine, int() | float() as logit, int() | float() | None as p]:
            fits = -1.001 <= cosine <= 1.001 and -1e4 < logit < 1e4 and (p is None or 0 <= p <= 1)
            return Reading(cosine, logit, p) if fits else None
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
