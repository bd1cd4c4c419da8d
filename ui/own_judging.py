"""Blind judging: the top rows of both lists as one shuffled walk, a passage at a time. Records -> escaped HTML.

Nothing in it says which model ranked a passage where, nor in which list it stood. Walking and keys are own.js's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from rerank_core.pipeline import Comparison
from rerank_core.records import Passage
from ui.rows import CHOICES
from ui.templates import render


def both_tops(comparison: Comparison, k: int) -> list[Passage]:
    """The passages among the first `k` of either list, each once, by doc_id: an order that no model made."""
    found = {
        row.doc_id: row.passage
        for ranking in (comparison.before, comparison.after)
        for row in ranking.top(k)
    }
    return [found[doc_id] for doc_id in sorted(found)]


def dialog(query: str, passages: Sequence[Passage]) -> str:
    """The dialog, in the order given."""
    return render(
        "own_judge",
        walk=secrets.token_hex(8),  # the page's script begins anew where it sees another
        query=query,
        passages=passages,
        grades=[c for c in reversed(CHOICES) if c[0]],
    )
