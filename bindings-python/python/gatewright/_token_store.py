"""Where tokens are kept, when it is a place of one's own: a keychain, a database. Any object with the methods."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Protocol, TypeAlias

    class TokenStore(Protocol):
        """Keeps the tokens of one login as one text, which is a secret.

        Where processes share it, it also has ``lock() -> bool``, which says whether the lock is ours now (it is asked
        again soon where it is not), and ``unlock()``, a plain function that is called from another thread. A lock must
        not outlive its process.
        """

        def load(self) -> str | None:
            """What was saved last; ``None`` where there is nothing."""
            ...

        def save(self, tokens: str, /) -> object:
            """Keeps this in place of what was there, whole or not at all."""
            ...

        def clear(self) -> object:
            """Forgets what is kept."""
            ...

    class AsyncTokenStore(Protocol):
        """The same for ``AsyncClient``, whose stores may be asked with ``await``; so may ``lock()``."""

        def load(self) -> Awaitable[str | None]:
            """What was saved last; ``None`` where there is nothing."""
            ...

        def save(self, tokens: str, /) -> Awaitable[object]:
            """Keeps this in place of what was there, whole or not at all."""
            ...

        def clear(self) -> Awaitable[object]:
            """Forgets what is kept."""
            ...

    AnyTokenStore: TypeAlias = TokenStore | AsyncTokenStore
