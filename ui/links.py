"""The address bar's state: what a link says, read leniently, and written canonically.

`?scenario=python-pet-care&query=python-pet-care-1&n=50&k=5&models=embedded&reveal=1`. `query` is the id of a
written query, or else the text of one of the visitor's own; `models` names models of the list, and no others. Values
that cannot be read fall back to the default, and `notes` says so in one sentence each: a damaged link opens all the
same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from rerank_core import limits
from rerank_core.errors import InputError
from rerank_core.scenarios import Scenario
from ui.model_choice import EMBEDDED, Choice, read_choice


@dataclass(frozen=True)
class Link:
    """A state of the page. `query` is text; `query_id` its id where it is a written one."""

    scenario: str
    query: str
    query_id: str | None
    retrieve_k: int
    top_k: int
    choice: Choice = field(default_factory=Choice)
    reveal: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)

    def to_query_string(self) -> str:
        """`?scenario=...`, without `reveal`: a shared link opens at the predict step."""
        return "?" + urlencode(
            {
                "scenario": self.scenario,
                "query": self.query_id or self.query,
                "n": self.retrieve_k,
                "k": self.top_k,
                "models": self.choice.link,
            }
        )


def read_link(params: Mapping[str, str], scenarios: Sequence[Scenario]) -> Link:
    """A Link from an address's parameters; whatever is missing or wrong takes the default (the first scenario)."""
    notes: list[str] = []
    by_id = {s.id: s for s in scenarios}
    first = scenarios[0].id
    scenario_id = params.get("scenario") or first
    if scenario_id not in by_id:
        notes.append(
            f"The link names a scenario {_short(scenario_id)} that is not here; this is {first}."
        )
        scenario_id = first
    scenario = by_id[scenario_id]
    asked = params.get("query", "").strip() or scenario.queries[0].id
    written = next((q for q in scenario.queries if asked in (q.id, q.text)), None)
    if written is None and len(asked) > limits.QUERY_MAX_CHARS:
        notes.append(
            f"The link's query has {len(asked)} characters; {limits.QUERY_MAX_CHARS} are allowed."
        )
        written = scenario.queries[0]
    if written is None and asked != asked.encode(errors="ignore").decode():
        notes.append(f"The link's query {_short(asked)} is not valid Unicode.")
        written = scenario.queries[0]
    n = _integer(
        params, "n", limits.RETRIEVE_K_DEFAULT, limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX, notes
    )
    k = _integer(params, "k", limits.TOP_K_DEFAULT, limits.TOP_K_MIN, limits.TOP_K_MAX, notes)
    if k > n:
        notes.append(
            f"The link asks for K = {k} of N = {n}; K is {n} here, since K cannot exceed N."
        )
        k = n
    choice = _choice(params.get("models") or EMBEDDED, notes)
    return Link(
        scenario=scenario_id,
        query=written.text if written else asked,
        query_id=written.id if written else None,
        retrieve_k=n,
        top_k=k,
        choice=choice,
        reveal=params.get("reveal") == "1",
        notes=tuple(notes),
    )


def checked_link(
    scenario: str,
    query: str,
    retrieve_k: Any,
    top_k: Any,
    query_id: str | None,
    choice: Choice = Choice(),  # noqa: B008 - frozen
) -> Link:
    """What the controls say, held to the limits whatever the browser sent. Raises InputError."""
    n = _whole(retrieve_k, "N, the shortlist", limits.RETRIEVE_K_MIN, limits.RETRIEVE_K_MAX)
    k = _whole(top_k, "K, the rows handed on", limits.TOP_K_MIN, limits.TOP_K_MAX)
    if k > n:
        raise InputError(
            f"K = {k} rows cannot be handed on from a shortlist of N = {n}; lower K or raise N."
        )
    return Link(scenario, query, query_id, n, k, choice)


def _choice(text: str, notes: list[str]) -> Choice:
    try:
        return read_choice(text)
    except InputError:
        notes.append(f"The link names models {_short(text)}; the embedded ones are in use.")
        return Choice()


def _whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:  # NaN too
        raise InputError(f"{what} is a whole number from {low} to {high}, not {value!r}.")
    if not low <= value <= high:
        raise InputError(f"{what} runs from {low} to {high}, not {int(value)}.")
    return int(value)


def _integer(
    params: Mapping[str, str], name: str, default: int, low: int, high: int, notes: list[str]
) -> int:
    raw = params.get(name)
    if raw is None:
        return default
    if raw.isascii() and raw.isdigit() and len(raw) < 6 and low <= int(raw) <= high:
        return int(raw)
    notes.append(
        f"The link's {name} is {_short(raw)}; it runs from {low} to {high}, and is {default} here."
    )
    return default


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
