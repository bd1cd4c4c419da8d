"""Large times, sizes and counts as a visitor reads them: pure.

>>> duration(0.4), duration(12_900), duration(198_720_000), memory(15_360_000_000)
('0.40 ms', '13 s', '2.3 days', '15.4 GB')
"""

from __future__ import annotations

from ui.words import milliseconds

STEPS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"))
BYTES = ((10**9, "GB"), (10**6, "MB"), (10**3, "KB"))


def duration(ms: float) -> str:
    """2.3 days, 1 hour, 4.5 minutes, 13 s, 640 ms."""
    for size, name in STEPS:
        if ms >= size:
            count = (
                f"{ms / size:.0f}" if ms / size >= 9.95 else f"{ms / size:.1f}".removesuffix(".0")
            )
            return f"{count} {name}{'' if count == '1' else 's'}"
    return milliseconds(ms)


def memory(size: int) -> str:
    """15.4 GB, 1.5 MB, 77 KB: decimal units."""
    for unit, name in BYTES:
        if size >= unit:
            return (
                f"{size / unit:.0f} {name}" if size / unit >= 100 else f"{size / unit:.1f} {name}"
            )
    return f"{size} bytes"


def about(n: int) -> str:
    """A count with two figures: 4,600, 77, 280,000."""
    if n < 100:
        return str(n)
    unit = 10 ** (len(str(n)) - 2)
    return f"{n // unit * unit:,}"


def times(ratio: float) -> str:
    """1.3 times, 970 times, 64,000 times."""
    return f"{about(round(ratio)) if ratio >= 100 else f'{ratio:.0f}' if ratio >= 10 else f'{ratio:.1f}'} times"
