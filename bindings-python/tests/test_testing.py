"""`gatewright.testing`: the gateway in a user's own tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mock_gateway
from gatewright import Response, Retry
from gatewright.testing import AsyncGateway, Gateway, GatewayError, GatewayNotInstalledError, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import gatewright.testing as embedded

QUICK = Retry(backoff_base=0.06, backoff_cap=0.06)
DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def own() -> Iterator[Gateway]:
    with Gateway(program=mock_gateway.program()) as gateway:
        yield gateway


@pytest.fixture
def world(own: Gateway) -> Iterator[Session]:
    with own.session() as session:
        yield session


def header(entry: embedded.JournalEntry, name: str) -> str | None:
    return dict(entry["headers"]).get(name)


def test_an_answer_that_is_lost_does_not_make_two_contacts(world: Session) -> None:
    world.script("contacts.create", "503;ra-ms=40", "lost")
    with world.client(retry=QUICK) as client:
        contact = client.post("/v1/contacts", json={"name": "Ada"}).json()
    assert contact["name"] == "Ada"
    assert world.effects("contacts.create")["count"] == 1
    attempts = world.journal(op="contacts.create")
    assert [attempt["fault"] for attempt in attempts] == ["503;ra-ms=40", "lost", None]
    assert len({header(attempt, "idempotency-key") for attempt in attempts}) == 1
    told = attempts[0]["told"]
    assert told
    assert told["retry_after_ms"] == 40
    verdict = world.verdict()
    assert (verdict["grade"], verdict["logical_calls"], verdict["requests"]) == ("A", 1, 3)
    assert verdict["calls"][0]["effects"] == 1


def test_on_a_clock_that_stands_still_a_day_passes_when_it_is_told_to(world: Session) -> None:
    world.freeze()
    with world.client() as client:

        def send() -> Response:
            return client.post("/v1/contacts", json={"name": "Ada"}, idempotency_key="one")

        first, again = send(), send()
        before = world.clock()
        after = world.advance(DAY)
        assert after["frozen"]
        assert after["now_ms"] - before["now_ms"] == DAY * 1_000
        later = send()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json()["id"] == again.json()["id"] != later.json()["id"]
    assert world.effects("contacts.create")["count"] == 2


def test_limits_come_back_with_the_clock(world: Session) -> None:
    world.freeze()
    with world.client(auth=world.key("tiny"), pacing=False, retry=Retry(max_attempts=1)) as client:
        statuses = [client.get("/v1/whoami", raise_for_status=False).status_code for _ in range(4)]
        world.advance(2)
        statuses.append(client.get("/v1/whoami", raise_for_status=False).status_code)
    assert statuses == [200, 200, 200, 429, 200]
    assert world.limits()[0]["refused"] == 1


def test_rules_options_and_tokens_can_be_set_and_taken_away(world: Session) -> None:
    world.outage("503", op="contacts.*")
    world.script("users.list", "500")
    assert [rule.get("name") for rule in world.faults()] == ["outage", None]
    world.clear_faults("outage")
    assert len(world.faults()) == 1
    assert world.set(dialect="github")["dialect"] == "github"
    token = world.token(60, tier="free", tenant="acme")
    with world.client(auth=token["token"]) as client:
        assert client.get("/v1/whoami").json()["tier"] == "free"
    world.reset()
    assert (world.faults(), world.journal()) == ([], [])


def test_sessions_know_nothing_of_each_other(own: Gateway) -> None:
    with own.session() as one, own.session("other") as other:
        with one.client() as client:
            client.get("/v1/whoami")
        assert (len(one.journal()), len(other.journal())) == (1, 0)
        assert other.name == "other"
        assert other.verdict()["grade"] is None


async def test_the_same_for_asyncio() -> None:
    async with AsyncGateway(program=mock_gateway.program()) as gateway:
        async with await gateway.session() as session:
            await session.script("contacts.create", "lost")
            await session.freeze()
            async with session.client(retry=QUICK) as client:
                await client.post("/v1/contacts", json={"name": "Ada"})
            assert (await session.effects("contacts.create"))["count"] == 1
            assert (await session.verdict())["grade"] == "A"
            assert len(await session.journal(op="contacts.create")) == 2
        assert (await gateway.admin("GET", "health"))["status"] == "ok"


def test_regions_can_be_closed() -> None:
    with Gateway(program=mock_gateway.program(), regions=["eu"]) as gateway:
        assert list(gateway.regions) == ["eu"]
        gateway.set_region("eu", up=False)
        assert gateway.admin("GET", "regions")["regions"][0]["up"] is False


def test_what_is_refused_is_said_in_the_gateways_words(world: Session) -> None:
    with pytest.raises(GatewayError, match=r"PUT /admin/faults: 400 .*nonsense"):
        world.set_faults({"script": ["nonsense"]})


def test_a_gateway_that_was_stopped_says_so() -> None:
    gateway = Gateway(program=mock_gateway.program())
    session = gateway.session()
    gateway.stop()
    gateway.stop()
    with pytest.raises(GatewayError, match="it has been stopped"):
        session.journal()


def test_without_a_program_the_error_says_which_command_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GATEWRIGHT_GATEWAY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("gatewright.testing._program._installed", lambda: None)
    with pytest.raises(GatewayNotInstalledError, match=r"pip install 'gatewright\[testing\]'"):
        Gateway()


def test_the_environment_names_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWRIGHT_GATEWAY", str(tmp_path / "none"))
    with pytest.raises(GatewayError, match="cannot be started"):
        Gateway()


def test_a_program_that_does_not_start_says_why() -> None:
    with pytest.raises(GatewayError, match=r"the gateway did not start: .*no option of serve"):
        Gateway(program=mock_gateway.program(), arguments=["--nonsense"])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_it_ends_with_its_parent_however_that_ends() -> None:
    script = """
import os, signal
from gatewright.testing import Gateway
gateway = Gateway()
print(gateway._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "GATEWRIGHT_GATEWAY": str(mock_gateway.program())}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    gateway = int(done.stdout)
    assert mock_gateway.eventually(lambda: not alive(gateway)), "the gateway is still there"


def alive(pid: int) -> bool:
    """Whether a process runs: one that has ended and that nobody has asked about is not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"
    except ProcessLookupError:
        return False


def test_the_fixtures_are_as_documented(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["gatewright.testing.pytest_fixtures"]\n')
    (tmp_path / "test_mine.py").write_text("""
def test_one(gatewright_session):
    with gatewright_session.client() as client:
        assert client.get("/v1/whoami").json()["tenant"] == "acme"
    assert len(gatewright_session.journal()) == 1

def test_two(gatewright_session, gatewright_gateway):
    assert gatewright_session.journal() == []
    assert gatewright_session.url == gatewright_gateway.url
""")
    environment = {**os.environ, "GATEWRIGHT_GATEWAY": str(mock_gateway.program())}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
