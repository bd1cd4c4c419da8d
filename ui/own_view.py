"""OwnView: what one event sets on Your own, by component name; and the states of its intake.

Left out: the states of a comparison (compare_states.py), which are Explore's too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from ui.view import SKIP

PART = "own-"
"""Begins the ids of elements that Explore has, too."""
NOW, AS_OPENED, NOTHING = "now", "opened", "nothing"
MUST_HOLD = (("what holds now", NOW), ("nothing", NOTHING))
"""What may be said to hold in a scenario; what an opened zip says is a choice only where there was one."""


class OwnView(NamedTuple):
    """What one event sets; field names are component names."""

    # what is brought
    box: Any = SKIP
    file: Any = SKIP
    kind: Any = SKIP
    column: Any = SKIP
    draft: Any = SKIP
    token: Any = SKIP
    fingerprint: Any = SKIP
    status: Any = SKIP
    encode: Any = SKIP
    split: Any = SKIP
    stop: Any = SKIP
    forget: Any = SKIP
    # what is asked of it
    area: Any = SKIP
    query_choice: Any = SKIP
    query: Any = SKIP
    ranked_query: Any = SKIP
    retrieve_k: Any = SKIP
    top_k: Any = SKIP
    message: Any = SKIP
    before: Any = SKIP
    predict: Any = SKIP
    predict_head: Any = SKIP
    will_change: Any = SKIP
    sure: Any = SKIP
    leader: Any = SKIP
    new_in_top3: Any = SKIP
    middle: Any = SKIP
    commit: Any = SKIP
    just_show: Any = SKIP
    lines: Any = SKIP
    after: Any = SKIP
    verdict: Any = SKIP
    bars: Any = SKIP
    costs: Any = SKIP
    trace: Any = SKIP
    # what is marked
    marks: Any = SKIP
    judge: Any = SKIP
    judging: Any = SKIP
    depth: Any = SKIP
    # what is taken away
    title: Any = SKIP
    lesson: Any = SKIP
    note: Any = SKIP
    must_hold: Any = SKIP
    report: Any = SKIP
    download: Any = SKIP
    # a whole test set
    set_file: Any = SKIP
    set_report: Any = SKIP


def show(visible: bool) -> Any:
    """A component there, or not."""
    return gr.update(visible=visible)


def encoding_buttons(running: bool, long: bool = False) -> dict[str, Any]:
    """The buttons of the intake while passages are encoded, and when they are not; `long` offers to split."""
    return {
        "encode": gr.update(interactive=not running),
        "split": show(long and not running),
        "stop": show(running),
    }


def emptied() -> dict[str, Any]:
    """Everything that came of a visitor's passages, gone from the page."""
    return {
        "token": "",
        "area": show(False),
        "forget": show(False),
        "query_choice": gr.update(choices=[], value=None, visible=False),
        "query": "",
        "ranked_query": "",
        "marks": "{}",
        "judge": show(False),
        "must_hold": gr.update(choices=list(MUST_HOLD), value=NOW),
        "report": "",
        "download": "",
        **no_lists(),
    }


def no_lists() -> dict[str, Any]:
    """The lists and all that was derived from them, gone."""
    return dict.fromkeys(
        ("message", "before", "after", "verdict", "costs", "trace", "judging", "depth"), ""
    )
