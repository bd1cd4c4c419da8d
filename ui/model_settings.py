"""What the operator of a page permits about models: any name or only the list, and whether the hub may be asked.

    RERANK_ANY_MODEL=1   any hub name, and folders of this machine; never on a Hugging Face Space
    HF_HUB_OFFLINE=1     nothing is fetched: only models that are on this machine already

Read once, when the page is built. Imports nothing that reads these variables itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ANY, SPACE = "RERANK_ANY_MODEL", "SPACE_ID"
ASKED_OFFLINE = "RERANK_HUB_OFFLINE"
"""Where app.py keeps what the operator said of HF_HUB_OFFLINE, before it sets that for its own process."""
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
TRUE = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True)
class ModelSettings:
    """`any_name` admits names off the list; `hub` is whether a person who picks a public model may have it fetched."""

    any_name: bool = False
    hub: bool = True


def model_settings(environ: Mapping[str, str]) -> ModelSettings:
    """The operator's settings.

    >>> model_settings({"RERANK_ANY_MODEL": "1"})
    ModelSettings(any_name=True, hub=True)
    >>> model_settings({"RERANK_ANY_MODEL": "1", "SPACE_ID": "a/b", "HF_HUB_OFFLINE": "1"})
    ModelSettings(any_name=False, hub=False)
    """
    said = (
        [environ[ASKED_OFFLINE]]
        if ASKED_OFFLINE in environ
        else [environ.get(n, "") for n in OFFLINE]
    )
    return ModelSettings(
        any_name=is_true(environ.get(ANY, "")) and not environ.get(SPACE),
        hub=not any(is_true(value) for value in said),
    )


def is_true(value: str) -> bool:
    """Whether a variable's value means yes, as the hub's own client reads it."""
    return value.upper() in TRUE
