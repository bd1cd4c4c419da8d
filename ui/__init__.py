"""The page. Whatever of it is imported first, Gradio then imports and answers faster (quick_import.py)."""

from ui.quick_import import without_matplotlib, without_stubs

without_stubs()
without_matplotlib()
