"""The board's tables: rows and results -> escaped HTML. What it says of losses is in hurts.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rerank_core.board import Board
from rerank_core.evaluate import QueryResult, SliceRow
from rerank_core.records import Progress
from ui.board_words import arrow, day, direction, fraction, interval, machine, signed
from ui.links import Link
from ui.templates import render
from ui.words import plural, slice_words

Texts = Mapping[str, str]
"""Query id -> text."""


def source(
    board: Board | None,
    *,
    live: bool,
    current: bool | None,
    fault: str,
    differences: Sequence[str],
    minutes: float,
) -> str:
    """Where these figures come from and when, and whether they still hold."""
    about = "in under a minute" if minutes < 1 else f"in about {plural(round(minutes), 'minute')}"
    if board is None:
        return render(
            "board_source", words=f"{fault} It can be computed here, {about}.", title="",
            warning="", differences=[],
        )  # fmt: skip
    made = f"{day(board.made_at)}, on {machine(board.environment)}"
    words = f"Computed live by this server: {made}." if live else f"Stored on {made}."
    warning = ""
    if not live and current is False:
        warning = "The stored figures are of other weights or other scenarios than those in use: recompute."
    if not live:
        words += f" It can be recomputed here, {about}."
    elif not differences and current is not None:
        words += " It agrees with the stored board."
    return render(
        "board_source", words=words, title=f"{board.made_at} {board.environment.platform}",
        warning=warning, differences=list(differences),
    )  # fmt: skip


def progress(item: Progress | None) -> str:
    """How far a computation is; None for none."""
    if item is None:
        return ""
    return render(
        "board_progress",
        done=item.done,
        total=item.total,
        words=f"{item.done} of {plural(item.total, 'query', 'queries')} scored",
    )


def head(
    first: SliceRow | None, results: Sequence[QueryResult], link: Link, without: Sequence[str]
) -> str:
    """The headline in words, and where the visitor's own query stands in it."""
    chosen = sum(r.chosen for r in results)
    notes = []
    if chosen:
        notes.append(
            f"{plural(chosen, 'query', 'queries')} chosen for a known outcome "
            f"{'is' if chosen == 1 else 'are'} left out of every mean."
        )
    if without:
        notes.append(
            f"{plural(len(without), 'query', 'queries')} without any relevant passage "
            f"{'has' if len(without) == 1 else 'have'} no lift, and {'is' if len(without) == 1 else 'are'} not counted."
        )
    mine = next((r for r in results if r.query_id == link.query_id), None)
    return render(
        "board_head",
        row=_row(first) if first else None,
        words=""
        if first is None
        else f"nDCG@3 {fraction(first.before)} before, {fraction(first.after)} after, mean of "
        f"{plural(first.n, 'query', 'queries')} of {plural(first.scenarios, 'scenario')} at N = {link.retrieve_k}. "
        f"{_interval_words(first)} {plural(first.wins, 'win')}, {plural(first.ties, 'tie')}, "
        f"{plural(first.losses, 'loss', 'losses')}.",
        notes=notes,
        mine=None
        if mine is None
        else f"Your query “{link.query}” is one of {slice_words(mine.slice)}: {signed(mine.lift)}"
        f"{', chosen for its outcome' if mine.chosen else ''}.",
    )


def _interval_words(row: SliceRow) -> str:
    if row.interval is None:
        return "No interval: fewer than five scenarios."
    return f"95 % interval of the lift {interval(row.interval)}, by drawing scenarios."


def table(
    rows: Sequence[SliceRow], results: Sequence[QueryResult], texts: Texts, link: Link
) -> str:
    """By slice, sortable, each with the queries behind it; then all queries, the largest loss first."""
    by_id = {r.query_id: r for r in results}
    return render(
        "board_table",
        total=_row(rows[0]) if rows else None,
        rows=[
            _row(row)
            | {
                "queries": [
                    _query(r, texts, link)
                    for r in sorted((by_id[q] for q in row.query_ids), key=_by_loss)
                ]
            }
            for row in rows[1:]
        ],
        results=[_query(r, texts, link) for r in sorted(results, key=_by_loss)],
        n=link.retrieve_k,
        k=link.top_k,
    )


def _by_loss(r: QueryResult) -> tuple[float, str]:
    return r.lift, r.query_id


def _row(row: SliceRow) -> dict[str, Any]:
    return {
        "name": "all slices" if row.slice == "all" else slice_words(row.slice),
        "n": row.n,
        "scenarios": row.scenarios,
        "figures": [
            {"value": value, "shown": fraction(value)} for value in (row.before, row.after)
        ],
        "value": row.lift,
        "lift": signed(row.lift),
        "arrow": arrow(row.lift),
        "direction": direction(row.lift),
        "interval": interval(row.interval),
        "low": row.interval[0] if row.interval else -2,
        "wins": row.wins,
        "ties": row.ties,
        "losses": row.losses,
        "shares": [
            {"value": value, "shown": fraction(value)}
            for value in (*row.success1, *row.answer_in_top_k)
        ],
    }


def _query(r: QueryResult, texts: Texts, link: Link) -> dict[str, Any]:
    return {
        "text": texts.get(r.query_id, r.query_id),
        "href": href(r, texts, link),
        "here": r.query_id == link.query_id,
        "slice": slice_words(r.slice),
        "before": fraction(r.before),
        "after": fraction(r.after),
        "before_value": r.before,
        "after_value": r.after,
        "value": r.lift,
        "lift": signed(r.lift),
        "arrow": arrow(r.lift),
        "direction": direction(r.lift),
        "chosen": r.chosen,
        "unjudged": r.unjudged3[1],
    }


def href(r: QueryResult, texts: Texts, link: Link, reveal: bool = False) -> str:
    """The address of a query on Explore, at the board's N and K."""
    text = texts.get(r.query_id, r.query_id)
    here = Link(r.scenario_id, text, r.query_id, link.retrieve_k, link.top_k)
    return here.to_query_string() + ("&reveal=1" if reveal else "")
