"""A report of a whole test set, opened on Your own: a file in, its figures out, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rerank_core.errors import FileError
from rerank_core.limits import OWN_FILE_BYTES
from rerank_core.report_file import parse_report
from ui import set_views
from ui.asked import said_privately
from ui.desk import Desk
from ui.faults import says_why_in
from ui.own_view import OwnView
from ui.uploads import take_upload


def _left_by_an_error() -> dict[str, Any]:
    return {"set_file": None}


says_why = says_why_in(OwnView, said_privately, "set_report", _left_by_an_error)


class OwnSet:
    """The handler of the upload."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @says_why
    def open(self, file: Any) -> Iterator[OwnView]:
        """A report came: read, deleted, shown."""
        name, data = take_upload(file, "a report.json that evaluate wrote")
        if len(data) > OWN_FILE_BYTES:
            raise FileError(
                f"{name} is larger than {OWN_FILE_BYTES:,} bytes, the most that the page opens; read_report reads it."
            )
        yield OwnView(set_file=None, set_report=set_views.report(parse_report(data, name)))
