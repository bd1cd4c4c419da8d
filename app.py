"""Entry point of the page, here and on a Hugging Face Space: read settings, build, launch."""

from __future__ import annotations

import logging
import os
from pathlib import Path

os.environ.setdefault(
    "HF_HUB_OFFLINE", "1"
)  # no network at run time, unless a person asks for a hub model
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from ui.layout import build_app
from ui.server import launch_settings, network_address, space_base
from ui.service import Service

SCENARIOS = Path(__file__).parent / "scenarios"


def main() -> None:
    """Serve until interrupted. The models load in the background while the page already shows."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    service = Service(SCENARIOS)
    service.start()
    page = build_app(service, base=space_base())
    _, local, _ = page.launch(prevent_thread_lock=True, **launch_settings())
    print(f"The page is at {local}", flush=True)
    if os.environ.get("RERANK_HOST") == "0.0.0.0":
        print(f"On the same network, type {network_address(page.server_port)}", flush=True)
    page.block_thread()


if __name__ == "__main__":
    main()
