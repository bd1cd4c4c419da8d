"""benchmarks/RESULTS.md, a section a benchmark: writing one keeps the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = "# Measured speed\n\nWritten by the scripts beside it. Ratios count; milliseconds belong to the machine named.\n"


def write_section(title: str, lines: Sequence[str], path: Path = RESULTS, head: str = HEAD) -> None:
    """Replace the section `title` of RESULTS.md, or add it at the end; `head` begins a new file."""
    text = path.read_text(encoding="utf-8") if path.exists() else head
    section = f"\n## {title}\n\n" + "\n".join(lines) + "\n"
    pattern = rf"\n## {re.escape(title)}\n.*?(?=\n## |\Z)"
    if re.search(pattern, text, re.S):
        text = re.sub(pattern, lambda _: section, text, flags=re.S).rstrip("\n") + "\n"
    else:
        text += section
    path.write_text(text, encoding="utf-8")
