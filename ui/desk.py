"""What the parts of Your own share: the engine's service, what visitors have on the server, and how it goes again."""

from __future__ import annotations

from typing import Any

from rerank_core.errors import InputError
from ui.held import Held
from ui.own_corpus import Own
from ui.service import Service
from ui.sweeper import Sweeper


class Desk:
    """One for the whole page. `held` may be given, so that a test can turn its clock."""

    def __init__(self, service: Service, held: Held | None = None) -> None:
        self.service = service
        self.held = Held() if held is None else held
        self.sweeper = Sweeper(self.held.sweep)

    def put(self, item: Any, size: int) -> str:
        """Keep something of a visitor's; its token."""
        token = self.held.put(item, size)
        self.sweeper.wake()
        return token

    def own(self, token: Any) -> Own:
        """A visitor's encoded passages; GoneError where they are not kept, InputError where there never were any."""
        if not token:
            raise InputError(
                "There are no passages of yours here yet; paste or upload some and encode them."
            )
        return self.held.get(token, Own)
