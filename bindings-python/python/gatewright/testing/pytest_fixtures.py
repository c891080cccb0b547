"""Fixtures for pytest. In the `conftest.py` of the root: `pytest_plugins = ["gatewright.testing.pytest_fixtures"]`.

`gatewright_gateway` is one gateway for the whole run, `gatewright_session` a session of its own for each test. Under
pytest-xdist each worker has a gateway of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatewright.testing import Gateway, Session

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def gatewright_gateway() -> Iterator[Gateway]:
    """One gateway for all tests."""
    with Gateway() as gateway:
        yield gateway


@pytest.fixture
def gatewright_session(gatewright_gateway: Gateway) -> Iterator[Session]:
    """A session of its own."""
    with gatewright_gateway.session() as session:
        yield session
