"""Numbers of the board as a visitor reads them: pure, text in and text out."""

from __future__ import annotations

from datetime import datetime

from rerank_core.trace import Environment

MINUS, NONE = "\N{MINUS SIGN}", "–"


def fraction(value: float) -> str:
    """.52, 1.00: a share or a mean nDCG, in [0, 1]."""
    return f"{value:.2f}".replace("0.", ".", 1)


def signed(value: float) -> str:
    """+.12, −.40, ±0 where it rounds to nothing."""
    return "±0" if abs(value) < 0.005 else f"{value:+.2f}".replace("0.", ".", 1).replace("-", MINUS)


def direction(value: float) -> str:
    """ "up", "down" or "same", by the same rounding."""
    return "same" if abs(value) < 0.005 else "up" if value > 0 else "down"


def arrow(value: float) -> str:
    return {"up": "▲", "down": "▼", "same": "="}[direction(value)]


def interval(bounds: tuple[float, float] | None) -> str:
    """−.02 to +.31; "–" where there are too few scenarios for one."""
    return NONE if bounds is None else f"{signed(bounds[0])} to {signed(bounds[1])}"


def day(iso: str) -> str:
    """20 November 2026; the text as it stands where it is no date."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.day} {when:%B %Y}"


def machine(environment: Environment) -> str:
    """Linux, x86_64, 2 threads, Python 3.11.9."""
    parts = environment.platform.split("-")
    known = ("x86_64", "aarch64", "arm64", "AMD64")
    words = [parts[0], *(p for p in parts[1:] if p in known)]
    if environment.torch_threads:
        n = environment.torch_threads
        words.append(f"{n} thread{'' if n == 1 else 's'}")
    return ", ".join([*words, f"Python {environment.python}"])
