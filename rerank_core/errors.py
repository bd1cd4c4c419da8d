"""Everything that can go wrong, as one family of exceptions.

Each message is one sentence (at most two) that a visitor can read: it gives the value found, the value
allowed, and what to do. Nothing here knows about HTTP, Gradio or exit codes.
"""


class RerankError(Exception):
    """Base of all errors that this package raises on purpose."""


class InputError(RerankError):
    """A value given by the caller is out of range, empty or of the wrong kind."""


class FileError(RerankError):
    """A passages file, a scenario or a trace cannot be read; the message names file, place and fix."""


class WeightsError(RerankError):
    """Model files are missing, truncated, or not the ones their hash promises."""


class ModelError(RerankError):
    """A model failed while it computed. The message holds its own words: for a log, not for a visitor's page."""


class BusyError(RerankError):
    """Admission refused: the expected wait is longer than the bound. `wait_s` is the estimate in seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class CancelledError(RerankError):
    """The caller stopped waiting; what others wait for goes on."""
