"""Numbers and small words as a visitor reads them: pure, text in and text out.

Scores are shown on their own scales: a cosine as .544, a logit as +3.21, a probability as 87 %.
"""

from __future__ import annotations

from collections.abc import Sequence

from rerank_core.records import StageTiming


def cosine(value: float) -> str:
    """.544; a minus sign where it is below 0."""
    return f"{value:.3f}".replace("0.", ".", 1).replace("-", "\N{MINUS SIGN}")


def logit(value: float) -> str:
    """+3.21 or −0.40: the sign is part of a logit's meaning."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def probability(value: float | None) -> str:
    """87 %, and "–" where the model is not calibrated."""
    return "–" if value is None else f"{100 * value:.0f} %"


def milliseconds(value: float) -> str:
    """640 ms, 13.2 ms, 0.21 ms, 1.4 s: three figures at most."""
    if value >= 10_000:
        return f"{value / 1000:.0f} s"
    if value >= 1_000:
        return f"{value / 1000:.1f} s"
    return (
        f"{value:.0f} ms"
        if value >= 100
        else f"{value:.1f} ms"
        if value >= 1
        else f"{value:.2f} ms"
    )


def live_ms(timing: StageTiming) -> float:
    """What a stage cost when it was computed: now, or (where cached) in the run that its answer came from."""
    return timing.ms + (timing.live_ms or 0.0)


def backend_words(backend: str) -> str:
    """What computed a cross-encoder's scores, as visitors read it.

    >>> backend_words("torch"), backend_words("openvino-bf16")
    ('torch in 32-bit floats', 'OpenVINO in 16-bit floats')
    >>> backend_words("openvino-int8-1a2b3c4d")
    'OpenVINO, most of it in 8-bit integers'
    """
    if backend.startswith("openvino-int8"):
        return "OpenVINO, most of it in 8-bit integers"
    if backend.startswith("openvino"):
        return f"OpenVINO in {'16' if backend.endswith('bf16') else '32'}-bit floats"
    return f"{backend} in 32-bit floats"


def plural(n: int, one: str, many: str | None = None) -> str:
    """1 pair, 2 pairs."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(parts: Sequence[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def option_label(title: str, slice_name: str) -> str:
    """A scenario card's two lines."""
    return f"{title}\n{slice_words(slice_name)}"


SLICE_WORDS = {
    "entity_role": "who did what to whom",
    "word_sense": "word sense",
    "answerhood": "answers or mentions",
}


def slice_words(slice_name: str) -> str:
    """A slice's name as visitors read it."""
    return SLICE_WORDS.get(slice_name, slice_name.replace("_", " "))
