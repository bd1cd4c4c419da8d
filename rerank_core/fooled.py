"""Passages that beat a right one, and how they leave: as contrast groups in JSON lines, or as passages in a CSV.

A contrast group is a line {"slice", "domain", "passages", "queries": [{"q", "rel"}]}: close passages, and which of
them, by position, answers a query (2: right), as training/contrast/ holds them. Left out: where they are kept.

>>> one = Fooled("who sued?", "Apple sued.", "Samsung sued.", "entity_role", Duel(Reading(0, 0, 0), Reading(1, 0, 0)))
>>> print(contrast_lines([one]), end="")
{"slice": "entity_role", "domain": "written to fool", "passages": ["Apple sued.", "Samsung sued."], \
"queries": [{"q": "who sued?", "rel": {"0": 2}}]}
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rerank_core.duel import Duel, Reading
from rerank_core.trace import safe_cell

__all__ = ["KINDS", "Duel", "Fooled", "Reading", "best_first", "contrast_lines", "passages_csv"]

KINDS = (
    "word_sense", "entity_role", "negation", "quantity", "condition", "answerhood", "freshness",
    "aspect", "direction", "identifier",
)  # fmt: skip
"""What can be wrong with a passage that looks right; the names are those of the contrast groups' slices."""

DOMAIN = "written to fool"
RIGHT = 2
"""The grade of a right passage in a contrast group."""


@dataclass(frozen=True, slots=True)
class Fooled:
    """A wrong passage that beat a query's right one; `kind` is one of KINDS, `weights` names the models' weights."""

    query: str
    right: str
    wrong: str
    kind: str
    duel: Duel
    weights: str = ""

    @property
    def key(self) -> str:
        """Names query and wrong passage: one entry each."""
        digest = hashlib.sha256("\0".join((self.query, self.wrong)).encode("utf-8", "replace"))
        return digest.hexdigest()[:16]


def best_first(items: Sequence[Fooled]) -> tuple[Fooled, ...]:
    """Those that fool more models first, the later of equals first: margins of two scales are not added up."""
    order = sorted(range(len(items)), key=lambda i: (-len(items[i].duel.fools), -i))
    return tuple(items[i] for i in order)


def contrast_lines(items: Iterable[Fooled]) -> str:
    """One group a query, right passage and kind, the right passage first; a line each."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        groups.setdefault((item.query, item.right, item.kind), []).append(item.wrong)
    lines = [
        {
            "slice": kind,
            "domain": DOMAIN,
            "passages": [right, *wrong],
            "queries": [{"q": query, "rel": {"0": RIGHT}}],
        }
        for (query, right, kind), wrong in groups.items()
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def passages_csv(items: Iterable[Fooled]) -> str:
    """Every text once, columns doc_id, text, source, RFC 4180: a file of passages as the library reads it.

    `source` says of which query a text is right or wrong, and of what kind. A text that a spreadsheet would run is
    preceded by an apostrophe.
    """
    words: dict[str, list[str]] = {}
    for item in items:
        right, wrong = words.setdefault(item.right, []), words.setdefault(item.wrong, [])
        if (answers := f"answers “{item.query}”") not in right:
            right.append(answers)
        wrong.append(f"wrong for “{item.query}”: {item.kind}")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("doc_id", "text", "source"))
    for number, (text, said) in enumerate(words.items(), 1):
        writer.writerow([safe_cell(cell) for cell in (f"fool-{number:03d}", text, "; ".join(said))])
    return out.getvalue()
