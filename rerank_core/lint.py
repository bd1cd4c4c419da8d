"""Checks a library of scenarios: form, ids, duplicates, judged coverage, and every `expect`.

Errors are what must not ship: a mistake of form, an id twice, an unjudged passage in a top ten, an
expectation that the models do not meet. Warnings are for the author's eye. What is left out:
whether a judgement is right, and whether a fact is true.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path
from typing import Literal

from rerank_core.errors import FileError
from rerank_core.metrics import has_relevant
from rerank_core.pipeline import Comparison, TwoStage
from rerank_core.scenarios import (
    Library,
    Query,
    Scenario,
    library_mistakes,
    load_scenario,
    scenario_folders,
)

RETRIEVE_K = 50
"""N at which coverage and expectations are held: the page's default."""
JUDGED_DEPTH = 10
"""Rows that the page shows of either list."""
WORDS = (20, 70)
"""Words a passage should have; the rows of a printed example are as the textbook has them."""
OWN_PASSAGES, OWN_QUERIES = 50, 3
NEAR_DUPLICATE = 0.8
"""Jaccard similarity of two passages' sets of words from which they are called near-duplicates."""

MOST_DUPLICATES = 50
"""Duplicates that are named of one scenario that stands alone: 2,000 equal texts make 2 million pairs."""


@dataclass(frozen=True)
class Finding:
    """`level` is "error" or "warning"; `place` names a key, a query or a doc_id ("" = the file)."""

    level: Literal["error", "warning"]
    file: str
    place: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{self.level}: {where}: {self.message}"


def lint(folder: Path | str, engine: TwoStage | None = None) -> list[Finding]:
    """All findings over the scenarios under `folder`, errors and warnings as they come.

    Without an engine nothing that needs a model is checked (coverage, `expect`); nor is it where a
    file cannot be read, since the library is not whole then. Raises FileError where `folder` holds
    no scenario.
    """
    folder = Path(folder)
    scenarios, found = [], list(_strays(folder))
    for path in scenario_folders(folder):
        try:
            scenarios.append(load_scenario(path))
        except FileError as error:
            found.append(Finding("error", path.name, "", str(error).removeprefix(f"{folder}/")))
    library = Library(tuple(scenarios))
    for scenario_id, place, message in library_mistakes(library):
        found.append(Finding("error", scenario_id, place, message))
    found += _duplicates(library)
    for scenario in library.scenarios:
        found += _sizes(scenario)
    if engine is not None and not any(f.level == "error" for f in found):
        corpus = engine.corpus(library.passages)
        for scenario in library.scenarios:
            for query in scenario.queries:
                comparison = engine.compare(query.text, corpus, RETRIEVE_K, JUDGED_DEPTH)
                found += _with_models(scenario, query, comparison)
    return found


def lint_scenario(scenario: Scenario, compared: Mapping[str, Comparison]) -> list[Finding]:
    """All findings on one scenario that stands alone; `compared` holds each query's comparison, by query id."""
    library = Library((scenario,))
    found = [Finding("error", s, place, message) for s, place, message in library_mistakes(library)]
    found += [*islice(_duplicates(library), MOST_DUPLICATES), *_sizes(scenario)]
    for query in scenario.queries:
        found += _with_models(scenario, query, compared[query.id])
    return found


def _strays(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob("*/")):
        if not path.name.startswith((".", "_")) and not (path / "scenario.toml").exists():
            yield Finding("warning", path.name, "", "has no scenario.toml and is not read; add it.")


def _duplicates(library: Library) -> Iterator[Finding]:
    """Equal texts after normalising are warned of, and texts that share most of their words."""
    rows = [
        (scenario.id, passage.doc_id, normalised(passage.text))
        for scenario in library.scenarios
        for passage in scenario.passages
    ]
    words = {doc_id: frozenset(text.split()) for _, doc_id, text in rows}
    for (_, left, left_text), (file, right, right_text) in combinations(rows, 2):
        if left_text == right_text:
            yield Finding(
                "warning", file, right, f"is the same text as {left}; change one of them."
            )
        elif _of_like_size(words[left], words[right]):
            alike = jaccard(words[left], words[right])
            if alike >= NEAR_DUPLICATE:
                message = f"shares {alike:.0%} of its words with {left}; tell them further apart."
                yield Finding("warning", file, right, message)


def _of_like_size(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether they can be near-duplicates at all: most pairs are told apart without comparing words."""
    return min(len(left), len(right)) >= NEAR_DUPLICATE * max(len(left), len(right))


def normalised(text: str) -> str:
    """Case, width and punctuation aside.

    >>> normalised("The  Pasta, was INCREDIBLE!")
    'the pasta was incredible'
    """
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Shared over all, in [0, 1]; 0.0 where both are empty."""
    return len(left & right) / len(left | right) if left or right else 0.0


def _sizes(scenario: Scenario) -> Iterator[Finding]:
    def warning(place: str, message: str) -> Finding:
        return Finding("warning", scenario.id, place, message)

    if len(scenario.passages) < OWN_PASSAGES:
        yield warning(
            "", f"{len(scenario.passages)} passages; {OWN_PASSAGES} or more tempt better."
        )
    if len(scenario.queries) < OWN_QUERIES:
        yield warning("", f"{len(scenario.queries)} queries; write {OWN_QUERIES} or more.")
    printed = {row.doc_id for row in scenario.printed.rows} if scenario.printed else set()
    for passage in scenario.passages:
        n = len(passage.text.split())
        if passage.doc_id not in printed and not WORDS[0] <= n <= WORDS[1]:
            yield warning(passage.doc_id, f"{n} words; write {WORDS[0]} to {WORDS[1]}.")
    for query in scenario.queries:
        if not has_relevant(query.relevance):
            yield warning(query.id, "no relevant passage (grade 2 or 3), so it has no lift.")


def _with_models(scenario: Scenario, query: Query, comparison: Comparison) -> Iterator[Finding]:
    unjudged = [
        f"{row.doc_id} ({name} rank {row.rank})"
        for name, ranking in (
            ("bi-encoder", comparison.before),
            ("cross-encoder", comparison.after),
        )
        for row in ranking.top(JUDGED_DEPTH)
        if row.doc_id not in query.relevance
    ]
    if unjudged:
        listed = ", ".join(unjudged)
        message = (
            f"{len(unjudged)} unjudged in the top {JUDGED_DEPTH}s at N = {RETRIEVE_K}: {listed}."
        )
        yield Finding("error", scenario.id, f"{query.id}.relevance", message)
    for key, message in _unmet(query, comparison):
        yield Finding("error", scenario.id, f"{query.id}.expect.{key}", message)


def _unmet(query: Query, comparison: Comparison) -> Iterator[tuple[str, str]]:
    expect = query.expect
    for key, wanted, ranking in (
        ("first_before", expect.first_before, comparison.before),
        ("first_after", expect.first_after, comparison.after),
    ):
        if wanted and ranking[0].doc_id not in wanted:
            yield key, f"{ranking[0].doc_id} is first, not {' or '.join(wanted)}."
    if expect.top1_changes is not None:
        first, then = comparison.before[0].doc_id, comparison.after[0].doc_id
        if (first != then) is not expect.top1_changes:
            said = "changes" if first != then else "does not change"
            yield "top1_changes", f"the top result {said} ({first}, then {then})."
    if expect.lift_at_3_min is not None:
        lift = comparison.lift_at(3, query.relevance)
        if lift is None:
            yield "lift_at_3_min", "no passage is relevant, so there is no lift; remove this."
        elif lift.lift < expect.lift_at_3_min:
            moved = f"{lift.before:.3f} -> {lift.after:.3f}"
            yield "lift_at_3_min", f"lift {lift.lift:+.3f} ({moved}) < {expect.lift_at_3_min}."
