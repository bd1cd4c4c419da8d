"""The endpoints as tools for agents, over the Model Context Protocol: on where its package is there.

    RERANK_MCP=0    off, also where the package is installed
    RERANK_MCP=1    wanted: where the package is not installed, the log warns

Gradio itself says nothing where the package is missing and its launch is quiet; here the log says it. Left out: the
tools, which are the functions of api.py with their docstrings.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from typing import Any

from ui.model_settings import is_true

log = logging.getLogger(__name__)
ASKED, PACKAGE, PIN = "RERANK_MCP", "mcp", "mcp==1.30.0"
PATH = "/gradio_api/mcp/"


def wants_mcp(environ: Mapping[str, str]) -> bool:
    """Whether the tools are to be served; where they cannot be, the log says why."""
    asked = environ.get(ASKED, "")
    if asked and not is_true(asked):
        return False
    if importlib.util.find_spec(PACKAGE) is None:
        level = logging.WARNING if asked else logging.INFO
        log.log(
            level,
            "no MCP tools: the package %s is not installed; pip install %s brings them",
            PACKAGE,
            PIN,
        )
        return False
    return True


def say_how_it_went(page: Any) -> None:
    """After the launch of a page: why there are no tools, where Gradio failed to serve them and kept it to itself."""
    if getattr(page, "mcp_error", None):
        log.warning("no MCP tools: %s", page.mcp_error)
