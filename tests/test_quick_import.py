"""Gradio without its writing of stubs: nothing is written, and nothing else changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SHORT = """
import sys
import ui
import gradio
from gradio import component_meta
assert component_meta.create_or_modify_pyi.__module__ == "ui.quick_import", component_meta.create_or_modify_pyi
assert not any(type(f).__module__ == "ui.quick_import" for f in sys.meta_path)
with gradio.Blocks() as blocks:
    gradio.Textbox().change(print)
print(len(blocks.fns))
"""
LATE = """
import gradio
import ui, sys
assert not any(type(f).__module__ == "ui.quick_import" for f in sys.meta_path)
print(gradio.component_meta.create_or_modify_pyi.__module__)
"""


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_components_have_their_events_and_no_stub_is_written():
    assert in_fresh_python(SHORT) == "1"


def test_a_gradio_that_is_there_already_stays_as_it_is():
    assert in_fresh_python(LATE) == "gradio.component_meta"
