"""FoolView: what one event sets on Fool it, by component name; and how an error becomes one sentence in one."""

from __future__ import annotations

from typing import Any, NamedTuple

from ui.asked import said_privately
from ui.faults import says_why_in
from ui.view import SKIP

RIGHT, MINE = "the right passage", "yours"
"""The two passages of a duel, as they are keyed and called."""


class FoolView(NamedTuple):
    """What one event sets; field names are component names."""

    asked: Any = SKIP
    query: Any = SKIP
    right: Any = SKIP
    says: Any = SKIP
    another: Any = SKIP
    live: Any = SKIP
    message: Any = SKIP
    kept: Any = SKIP
    kept_list: Any = SKIP


says_why = says_why_in(FoolView, said_privately)
