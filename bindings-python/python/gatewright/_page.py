"""Pages of lists."""

from __future__ import annotations

from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatewright._native import Response


class Page(Value):
    """One page of a list."""

    __slots__ = ("items", "response")

    items: list[Any]
    """The page's items, decoded."""
    response: Response
    """The answer that the page came in."""

    def __init__(self, items: list[Any], response: Response) -> None:
        self._set(items=items, response=response)
