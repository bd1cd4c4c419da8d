"""What Scores says: the heading, why scales are not compared, and one cut in words. Records -> escaped HTML."""

from __future__ import annotations

from rerank_core.comparison import calibrated
from rerank_core.records import ModelCard, Progress
from ui.cutoffs import Cutoffs, keeping, keeps, thinned
from ui.depth_views import working_head
from ui.depth_words import two
from ui.rulers import Candidate
from ui.templates import prose, render, text_file
from ui.words import cosine, logit, plural, probability

INTRO = (
    "Three numbers for the same pairs of query and passage: on three scales, so on three rulers."
)
ROWS = 25
"""Cuts in the table under the figure."""


def head(
    query: str, state: str, words: str = "", progress: Progress | None = None, fault: str = ""
) -> str:
    """The tab's heading: what it is, the query, and how far the run is."""
    return working_head("scores", "Scores", INTRO, query, state, words, progress, fault)


def why(found: tuple[Candidate, ...]) -> str:
    """Why the three are never compared or averaged, with this query's own numbers where they show it."""
    return render("scores_why", text=prose(text_file("scores")), here=_here(found))


def _here(found: tuple[Candidate, ...]) -> str:
    if len(found) < 2:
        return ""
    first = max(found, key=lambda c: (c.cosine, -c.before))
    last = min(found, key=lambda c: c.cosine)
    top = min(found, key=lambda c: c.after)
    cosines = f"cosines run from {cosine(last.cosine)} to {cosine(first.cosine)}"
    logits = f"logits from {logit(min(c.logit for c in found))} to {logit(top.logit)}"
    lead = (
        f"both put {_named(top)} first"
        if first is top
        else f"the highest cosine is {_named(first)}'s, the highest logit {_named(top)}'s, which stands at "
        f"{top.before} by cosine"
    )
    return f"For this query {cosines} and {logits}; {lead}."


def _named(c: Candidate) -> str:
    return c.letter or c.passage.doc_id


def no_cutoffs(sentence: str) -> str:
    """The threshold explorer where no board is stored."""
    return render("thresholds", sentence=sentence, facts=[])


def cut(found: Cutoffs, t: float, card: ModelCard, made_on: str) -> str:
    """One cut on the logit, what the same cut is called on the other scales, and what the cosine does instead."""
    point = keeps(found.logit, t)
    other = keeping(found.cosine, max(point.kept, 1))
    share = f"{point.kept:,} of {found.pairs:,} pairs"
    facts = [
        f"Keep every pair with a logit of {logit(t)} or more: {share}, precision {two(point.precision)}, "
        f"recall {two(point.recall)}."
        if point.kept
        else f"No pair has a logit of {logit(t)} or more: nothing is kept, recall 0.",
        _as_probability(found, t, card),
        f"A cosine keeps about as many ({other.kept:,}) at {cosine(other.threshold)}: precision "
        f"{two(other.precision)}, recall {two(other.recall)}. It orders pairs otherwise, so it has a curve of its own.",
    ]
    circles = ", with circles where a probability cuts" if found.probability else ""
    over = (
        f"Over the first {found.n} candidates of {plural(found.queries, 'query', 'queries')} written before any "
        f"model ran on them, {found.relevant:,} relevant pairs among {found.pairs:,}; unjudged counts as not relevant. "
        f"Recall is of the relevant candidates, not of those never retrieved. From the board stored on {made_on}; "
        f"no model is asked. Solid: the logit{circles}. Dashed: the cosine."
    )
    return render("thresholds", sentence=over, facts=facts)


def _as_probability(found: Cutoffs, t: float, card: ModelCard) -> str:
    p = calibrated(t, card)
    if p is None or not found.probability:
        return "This model is not calibrated, so the cut has no name as a probability."
    point = keeps(found.probability, p)
    if found.same:
        return (
            f"The same cut, called a probability of {probability(p)} or more: {point.kept:,} pairs, precision "
            f"{two(point.precision)}, recall {two(point.recall)}. All {len(found.probability):,} cuts agree: "
            "calibration renames thresholds, and moves no pair past another."
        )
    return (
        f"Called a probability, this cut is {probability(p)} or more; some neighbouring logits round to one "
        "probability, so a few cuts between them are missing there."
    )


def table(found: Cutoffs, card: ModelCard) -> str:
    """Cuts evenly by number kept: the numbers of the figure."""
    rows = []
    for point in thinned(found.logit, ROWS):
        other = keeping(found.cosine, point.kept)
        rows.append(
            (f"{point.kept:,}", logit(point.threshold), probability(calibrated(point.threshold, card)),
             two(point.precision), two(point.recall), cosine(other.threshold), two(other.precision), two(other.recall))
        )  # fmt: skip
    return render(
        "depth_table", caption="Thresholds: cuts that keep as many pairs, on each scale",
        groups=[{"name": "", "span": 1}, {"name": "Logit or probability", "span": 4}, {"name": "Cosine", "span": 3}],
        heads=["pairs kept", "logit", "probability", "precision", "recall", "cosine", "precision", "recall"], rows=rows,
    )  # fmt: skip
