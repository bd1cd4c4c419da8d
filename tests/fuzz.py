"""What a stranger might send, as hypothesis strategies, and what must come of all of it: a value, or one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rerank_core.errors import RerankError

ENDPOINT_EXAMPLES = int(os.environ.get("RERANK_FUZZ", "500"))
"""Examples over all endpoints together; `make fuzz` asks for 10,000."""
HANG_S = 60.0
"""An example that takes longer hangs: the slowest takes a second on a machine that is free."""
T = TypeVar("T")

SPECIALS = (
    "\ufeff", "\0", "\r\n", "\r", "\n", "\n\n", "\t", "\v", "\x1a", "\x1b[31m", "\x7f", "\x85", "\u2028", " ", "\u00a0",
    "\u202e", "\u202bمرحبا بالعالم\u202c", "שלום", "👩‍👩‍👧‍👦", "🏳️‍🌈", "é", "e\u0301", "ﬃ", "東京", "\ud800", "\udfff",
    "\U0010ffff", "=1+1", '=HYPERLINK("http://x")', "+1", "-2+3", "@SUM(A1)", "\t=1", '"', '""', "'", ",", ";", "|",
    "\\", "`", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</textarea>", "&amp;", "${1+1}",
    "{{value}}", "{% raw %}", "%s%n", "../../etc/passwd", "C:\\x", "/", "..", "nan", "inf", "1e999", "-0", "0x10",
    "null", "true", "{}", "[]", '{"', "[" * 500, '{"text": ', '"text"', "text", "doc_id", "grades", "embedded",
    "python pet care", "#", "'''", '"""',
)  # fmt: skip
LONG = ("word " * 10_000, "x" * 20_001, "a\n" * 2_100, "é" * 501, "👩‍👩‍👧" * 400)
"""Too long for one bound or another; the first is a passage of 10,000 words."""

texts = st.lists(
    st.one_of(st.sampled_from(SPECIALS), st.text(max_size=12)), max_size=8
).map("".join)  # fmt: skip
mild = st.lists(
    st.one_of(
        st.sampled_from([s for s in SPECIALS if s.isprintable() and not s.isspace()]),
        st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=5,
).map(" ".join)
"""Texts that are odd and yet allowed."""
hostile = st.integers(0, 39).flatmap(lambda i: st.sampled_from(LONG) if i == 0 else texts)
numbers = st.one_of(st.integers(-2, 120), st.integers(), st.floats(), st.booleans())
anything = st.recursive(
    st.one_of(st.none(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual nine times of ten: with many arguments, one odd one at a time gets past the checks of the others."""
    return st.integers(0, 9).flatmap(lambda i: odd if i == 0 else usual)


def fuzz(examples: int) -> settings:
    """Settings of a property with that many examples; a busy machine is slow, not wrong."""
    return settings(
        max_examples=examples, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )  # fmt: skip


def share(part: float) -> settings:
    """Settings of a property over endpoints that has this part of their examples."""
    return fuzz(max(1, round(ENDPOINT_EXAMPLES * part)))


def read_or_told(read: Callable[[], T], error: type[Exception] = RerankError) -> T | None:
    """What `read` gives, or None where it raised `error` with one sentence. Anything else fails, and so does a hang."""
    begun = monotonic()
    try:
        return read()
    except error as told:
        one_sentence(getattr(told, "message", str(told)))
        return None
    finally:
        assert monotonic() - begun < HANG_S, "it hangs"


def one_sentence(message: Any) -> None:
    """A message that a person can read: one line, ended, not a dump."""
    assert isinstance(message, str)
    assert message.strip()
    assert len(message) < 1_500, message[:200]
    assert not {"\n", "\r", "\0"} & set(message), repr(message)
    assert message.rstrip().endswith((".", "…")), repr(message)
    assert "Traceback" not in message
    assert "object at 0x" not in message
