"""Reports as files: written whole or not at all, read back from a path or from what was uploaded.

Read strictly: an unknown key, a number as text or a count that does not fit is a FileError with place and fix.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from rerank_core.errors import FileError, InputError
from rerank_core.forms import complaints
from rerank_core.limits import REPORT_BYTES
from rerank_core.passage_rows import decode
from rerank_core.report import Report


def read_report(path: Path | str) -> Report:
    """Read what `to_json` wrote. Raises FileError naming file, place and fix."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(REPORT_BYTES + 1)
    except OSError as error:
        raise FileError(
            f"{path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    return parse_report(data, str(path))


def parse_report(data: bytes | str, name: str = "the report") -> Report:
    """A report from its JSON, as uploaded: `name` is what messages call it. Raises FileError as `read_report`."""
    if len(data) > REPORT_BYTES:
        raise FileError(f"{name} is larger than {REPORT_BYTES:,} bytes; that is no report.")
    text = decode(data, name) if isinstance(data, bytes) else data
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        known = {"": list(Report.model_fields)}
        place, message = complaints(error, known)[0]
        where = f"{name}, {place}" if place else name
        raise FileError(f"{where}: {message} Make the report anew.") from error
    except InputError as error:  # parts that do not fit each other
        raise FileError(f"{name}: {error} Make the report anew.") from error


def write_report(report: Report, path: Path | str) -> None:
    """Write `to_json` whole or not at all. Raises FileError where the place cannot be written."""
    path = Path(path)
    half = path.with_name(path.name + ".part")
    try:
        half.write_text(report.to_json(), encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}; give another place.") from error
