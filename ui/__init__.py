"""The page. Whatever of it is imported first, Gradio then imports faster (quick_import.py)."""

from ui.quick_import import without_stubs

without_stubs()
