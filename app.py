"""Entry point of the page, here and on a Hugging Face Space: read settings, build, launch."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import threading
from pathlib import Path

# No network at run time: a model that a person asks for is fetched by a process of its own (rerank_core/hub_child.py),
# unless whoever runs this said HF_HUB_OFFLINE already; that is kept here before the next line says it too.
os.environ.setdefault(
    "RERANK_HUB_OFFLINE",
    os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or "0",
)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# A search over the page's small corpora needs no second thread, and numpy's go on spinning where the models compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Figures for a monitor that is switched off: else they are worked out anew, over all events, after each.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")

from ui.agents import say_how_it_went
from ui.bounds import private_uploads
from ui.layout import build_app
from ui.server import launch_settings, network_address, space_base
from ui.service import NotReadyError, Service

SCENARIOS = Path(__file__).parent / "scenarios"


def settle(service: Service) -> None:
    """Once all is loaded, leave it out of garbage collections: each full one walked through all of it, and nobody was
    answered for a fifth of a second."""
    with contextlib.suppress(NotReadyError):  # the log says why
        service.wait()
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve until interrupted. The models load in the background once the page shows."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uploads = private_uploads()
    service = Service(SCENARIOS, keep_vectors=True)
    page = build_app(service, base=space_base())
    _, local, _ = page.launch(prevent_thread_lock=True, **launch_settings())
    service.start()  # not before: loading would take from the page the seconds in which it comes up
    print(f"The page is at {local}", flush=True)
    say_how_it_went(page)
    if os.environ.get("RERANK_HOST") == "0.0.0.0":
        print(f"On the same network, type {network_address(page.server_port)}", flush=True)
    # Beside, so that Ctrl-C ends the page as cleanly while the models load as later.
    threading.Thread(target=settle, args=(service,), name="settle", daemon=True).start()
    page.block_thread()
    uploads.cleanup()


if __name__ == "__main__":
    main()
