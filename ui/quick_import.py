"""Gradio without what it does for nobody here: writing type stubs, and looking for matplotlib.

    without_stubs()         # before the first import of gradio
    without_matplotlib()

Each time that Gradio is imported, it parses the source of every component again and writes a .pyi file beside it for
editors (`gradio.component_meta.create_or_modify_pyi`); nothing that runs reads them. Where a Gradio has no such
function, or was imported already, nothing happens.

Before and after each event Gradio imports matplotlib, to turn its windows off. Where that is not installed, Python
looks for it on the whole path again each time, and nobody else is answered meanwhile.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MODULE, FUNCTION = "gradio.component_meta", "create_or_modify_pyi"


def without_stubs() -> None:
    """From now on the module that writes stubs is imported with a function that writes none."""
    if MODULE not in sys.modules:
        sys.meta_path.insert(0, _Finder())


def without_matplotlib() -> None:
    """Where it is not installed, let importing it fail at once, with the error that it fails with anyhow."""
    if "matplotlib" not in sys.modules and importlib.util.find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def _write_nothing(component_class: type, class_name: str, events: Sequence[Any]) -> None:
    """Takes what the function it replaces takes."""


class _Finder(MetaPathFinder):
    """Finds the one module, once, and leaves."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Another's loader, and then the function is replaced."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if hasattr(module, FUNCTION):
            setattr(module, FUNCTION, _write_nothing)
