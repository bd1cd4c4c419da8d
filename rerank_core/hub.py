"""Files of public models: fetched from the Hugging Face hub, and hashed.

Safetensors, configurations and vocabularies only: no pickles and no code. Left out: what the files mean (adapters.py).
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from rerank_core.embedded import file_sha256
from rerank_core.errors import RerankError
from rerank_core.limits import HUB_TIMEOUT_S
from rerank_core.models import Known

log = logging.getLogger(__name__)

HUB_FILES = ["*.json", "*.txt", "*.model", "model*.safetensors", "[0-9]_*/*.safetensors"]
"""What is fetched of a public model: no pickles and no code."""


def fetch(known: Known) -> tuple[Path, str | None]:
    """A folder with the model's files, and the hub's commit (None for a local folder).

    Without an answer from the hub within HUB_TIMEOUT_S the copy of an earlier load is taken; where there is none,
    RerankError in one sentence.
    """
    if Path(known.name).is_dir():
        return Path(known.name), None
    from huggingface_hub import model_info, snapshot_download

    trouble: Exception | None = None
    try:
        # Asked once, before the download, which would try again for half a minute.
        model_info(known.name, revision=known.revision, timeout=HUB_TIMEOUT_S)
    except Exception as error:  # the client raises its own, httpx's and the system's errors
        trouble = error
        log.warning("the hub did not answer for %s: %s", known.name, error)
    try:
        folder = Path(
            snapshot_download(
                known.name,
                revision=known.revision,
                allow_patterns=HUB_FILES,
                local_files_only=trouble is not None,
            )
        )
    except Exception as error:
        raise unreachable(known.name, trouble or error) from (trouble or error)
    return folder, folder.name


def local_copy(known: Known) -> Path | None:
    """The folder that holds the model's files whole, or None; no network is asked."""
    if Path(known.name).is_dir():
        return Path(known.name)
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            known.name, revision=known.revision, allow_patterns=HUB_FILES, local_files_only=True
        )
    except Exception:  # not there, not whole, or no name that the hub could have
        return None
    return Path(found)


def unreachable(name: str, trouble: Exception) -> RerankError:
    """One sentence for a model that is not here and could not be fetched."""
    return RerankError(
        f"{name} is not on this machine and could not be fetched from the Hugging Face hub "
        f"({type(trouble).__name__}); check the connection and the name, or choose the embedded model."
    )


def folder_hash(folder: Path, *settings: str) -> str:
    """One sha256 over a model's files (names and contents; pickles and READMEs apart) and its prompts."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {".json", ".txt", ".model", ".safetensors"}
    )
    lines = [f"{path.relative_to(folder).as_posix()} {file_sha256(path)}" for path in files]
    return hashlib.sha256("\n".join([*lines, *settings]).encode()).hexdigest()
