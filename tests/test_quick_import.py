"""Gradio without writing stubs and looking for matplotlib: nothing else changes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is not None, reason="matplotlib is here")
def test_a_matplotlib_that_is_not_installed_is_not_looked_for_again():
    code = """
import sys
import ui
from gradio.utils import MatplotlibBackendMananger
asked = []
class Asked:
    def find_spec(self, name, path=None, target=None):
        asked.append(name)
sys.meta_path.insert(0, Asked())
with MatplotlibBackendMananger():
    pass
try:
    import matplotlib
except ModuleNotFoundError as error:
    print(error.name, asked)
"""
    assert in_fresh_python(code) == "matplotlib []"


def test_a_matplotlib_that_is_installed_stays(tmp_path: Path):
    (tmp_path / "matplotlib.py").write_text("here = True\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ui, matplotlib; print(matplotlib.here)"
    assert in_fresh_python(code) == "True"
