"""How the page is served: what stands before Gradio, and the arguments of its launch().

Before Gradio: a bound on request bodies (413 with a sentence) and on uploads, compression, cache headers. Gradio
itself would take bodies of any size, compresses nothing it computes and sets no Cache-Control.
"""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rerank_core import limits
from ui.agents import wants_mcp
from ui.bounds import BodyLimit, UploadLimit

ASSETS = Path(__file__).parent / "assets"
STYLES = ("style.css", "depth.css", "scores.css", "board.css", "models.css", "own.css", "fool.css")
SCRIPTS = ("page.js", "evidence.js", "own.js", "fool.js")
HASHED = ("/assets/", "/static/", "/theme.css")
log = logging.getLogger(__name__)


class CacheHeaders:
    """Files whose names carry a hash are kept for a year; everything else is Gradio's to say."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = scope["type"] == "http" and scope["path"].startswith(HASHED)

        async def with_header(message: Message) -> None:
            if kept and message["type"] == "http.response.start" and message["status"] == 200:
                headers = [h for h in message["headers"] if h[0].lower() != b"cache-control"]
                age = limits.HASHED_AGE_S if "/assets/" in scope["path"] else limits.STATIC_AGE_S
                message = {
                    **message,
                    "headers": [*headers, (b"cache-control", b"public, max-age=%d" % age)],
                }
            await send(message)

        await self.app(scope, receive, with_header)


def theme() -> gr.themes.Base:
    """Quiet and print-like. Weights 400 and 700 only: the semi-bold file that Gradio bundles lacks Latin letters."""
    sans = gr.themes.LocalFont("Source Sans Pro", weights=(400, 700))
    mono = gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700))
    return gr.themes.Base(
        primary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        font=[sans, "ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=[mono, "ui-monospace", "monospace"],
        radius_size=gr.themes.sizes.radius_none,
        spacing_size=gr.themes.sizes.spacing_sm,
        text_size=gr.themes.sizes.text_sm,
    )


def launch_settings() -> dict[str, Any]:
    """Keyword arguments for Blocks.launch. Host and port come from the environment, never from here."""
    port = os.environ.get("RERANK_PORT")
    return {
        "server_name": os.environ.get("RERANK_HOST") or None,
        "server_port": int(port) if port else None,
        "theme": theme(),
        "css_paths": [ASSETS / name for name in STYLES],
        "head": "".join(
            f"<script>{(ASSETS / name).read_text(encoding='utf-8')}</script>" for name in SCRIPTS
        ),
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": [],
        "share": False,
        "quiet": True,
        "mcp_server": wants_mcp(os.environ),
        "max_file_size": limits.OWN_FILE_BYTES,
        "state_session_capacity": limits.SESSIONS,
        "app_kwargs": {
            "openapi_url": None,
            "middleware": [
                Middleware(
                    UploadLimit,
                    most=limits.OWN_FILE_BYTES + limits.UPLOAD_EXTRA_BYTES,
                    most_together=limits.UPLOADS_BYTES,
                ),
                Middleware(BodyLimit, default=limits.MAX_BODY_BYTES),
                Middleware(GZipMiddleware, minimum_size=limits.COMPRESS_FROM_BYTES),
                Middleware(CacheHeaders),
            ],
        },
    }


def space_base() -> str:
    """On a Hugging Face Space, the address its visitors see in the address bar; "" elsewhere."""
    space = os.environ.get("SPACE_ID", "")
    return f"https://huggingface.co/spaces/{space}" if space else ""


def network_address(port: int) -> str:
    """What somebody on the same network types, as far as this machine can tell."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # a documentation address: nothing is sent, only a route looked up
            host = probe.getsockname()[0]
        except OSError:
            host = socket.gethostname()
    return f"http://{host}:{port}"
