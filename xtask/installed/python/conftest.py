"""As a user writes it."""

from __future__ import annotations

pytest_plugins = ["gatewright.testing.pytest_fixtures"]
