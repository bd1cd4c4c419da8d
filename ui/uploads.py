"""An uploaded file: read once, deleted at once. Gradio has put it into its temporary folder and says where.

Left out: how large it may be (server.py refuses more before anything is written), and what it holds.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from rerank_core import limits
from rerank_core.errors import FileError, InputError

NAME_CHARS = 60
"""Characters of a file's name that a message repeats."""


PASSAGES = "a .txt, .csv, .jsonl or .zip file"


def take_upload(payload: Any, wanted: str = PASSAGES) -> tuple[str, bytes]:
    """The name and the bytes of an upload, as Gradio hands it to a handler without preprocessing; the file is gone.

    `wanted` is what messages say to choose instead.
    Raises InputError where the payload is none, FileError where the file is no longer there.
    """
    path, name = _place(payload, wanted)
    try:
        with path.open("rb") as file:
            data = file.read(limits.OWN_FILE_BYTES + 1)
    except OSError as error:
        raise FileError(f"{name} was gone before it could be read; upload it again.") from error
    finally:
        remove(path)
    return name, data


def remove(path: Path) -> None:
    """Delete an uploaded file and the folder that was made for it."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()  # fails where another upload of the same content is still there


def _place(payload: Any, wanted: str) -> tuple[Path, str]:
    if not isinstance(payload, dict) or not isinstance(payload.get("path"), str):
        raise InputError(f"No file came with this; choose {wanted}.")
    path = Path(payload["path"]).resolve()
    folder = Path(get_upload_folder()).resolve()
    # Gradio has checked this, too; deleting asks for certainty.
    if not path.is_relative_to(folder) or path.parent == folder:
        raise InputError(f"That is no uploaded file; choose {wanted}.")
    given = payload.get("orig_name")
    name = given if isinstance(given, str) and given.strip() else path.name
    return path, name if len(name) <= NAME_CHARS else name[: NAME_CHARS - 3] + "..."
