"""What a request may bring, held before Gradio reads any of it: bodies, and uploads, each with one sentence.

Left out: what is done with an upload (uploads.py), and the order in which all of this stands (server.py).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD = "/gradio_api/upload"


class BodyLimit:
    """Refuse a request whose body is over its route's bound, before anything behind reads it.

    `routes` maps a path prefix to its own bound in bytes; `default` holds for the rest.
    """

    def __init__(self, app: ASGIApp, default: int, routes: dict[str, int] | None = None) -> None:
        self.app = app
        self.default = default
        self.routes = routes or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path == UPLOAD:  # UploadLimit's; its body goes to the disk as it comes
            await self.app(scope, receive, send)
            return
        bound = next(
            (b for prefix, b in self.routes.items() if path.startswith(prefix)), self.default
        )
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > bound:
            await refuse(send, 413, f"A request may hold {bound} bytes.")
            return
        # A body without an honest length is read up to the bound first: nothing behind sees a byte too many.
        messages: list[Message] = []
        size, more = 0, True
        while more:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
            if size > bound:
                await refuse(send, 413, f"A request may hold {bound} bytes.")
                return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, replay, send)


class UploadLimit:
    """Refuse an upload that is too large, or where too many lie unread; what passes is streamed, never held here."""

    def __init__(self, app: ASGIApp, most: int, most_together: int) -> None:
        self.app, self.most, self.most_together = app, most, most_together

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != UPLOAD or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if (
            not declared.isdigit()
        ):  # the server holds a body to its declared length, and only to that
            await refuse(send, 411, "An upload says how many bytes it has.")
        elif int(declared) > self.most:
            await refuse(send, 413, f"An upload may hold {self.most} bytes.")
        elif uploaded_bytes() + int(declared) > self.most_together:
            await refuse(send, 503, "Too many uploads wait to be read; try again in a minute.")
        else:
            await self.app(scope, receive, send)


def uploaded_bytes() -> int:
    """Bytes of all files in the folder that uploads go to."""
    sizes = 0
    for path in Path(get_upload_folder()).glob("**/*"):
        with contextlib.suppress(OSError):  # deleted meanwhile
            sizes += path.stat().st_size
    return sizes


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Answer with a status and one sentence of plain text."""
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def private_uploads() -> tempfile.TemporaryDirectory[str]:
    """A folder for uploads that no other user of this machine can read; it goes when the object does.

    Before the page is built. Gradio's own would be one for all, readable by all.
    """
    folder = tempfile.TemporaryDirectory(prefix="uploads-", ignore_cleanup_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = folder.name
    return folder
