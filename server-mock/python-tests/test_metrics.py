"""The gateway's metrics, read by Prometheus' own parser: well formed, true to what was sent, and without names."""

import json
import math
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

DURATION = "http_server_request_duration_seconds"


@dataclass
class Gateway:
    url: str
    admin_url: str

    def call(self, method: str, path: str, key: str, session: str = "hush", **headers: str) -> int:
        about = {"authorization": f"Bearer {key}", "x-mock-session": session, **headers}
        request = urllib.request.Request(self.url + path, method=method, headers=about)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metrics(self) -> dict[str, Metric]:
        with urllib.request.urlopen(f"{self.admin_url}/metrics", timeout=20) as response:
            assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            text = response.read().decode()
        families = list(text_string_to_metric_families(text))
        names = [family.name for family in families]
        assert len(set(names)) == len(names), "a family is written twice"
        return {family.name: family for family in families}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    program = os.environ["GATEWRIGHT_GATEWAY"]
    arguments = ["serve", "--port", "0", "--print-json", "--until-stdin-closes", "--region", "eu"]
    with subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = json.loads(process.stdout.readline())
        yield Gateway(said["url"], said["admin_url"])
        process.stdin.close()
        process.wait(20)


def value(family: Metric, name: str, **labels: str) -> float:
    found = [sample.value for sample in family.samples if sample.name == name and sample.labels == labels]
    assert len(found) == 1, f"{name} {labels} is there {len(found)} times"
    return float(found[0])


def test_requests_are_counted_as_they_were_answered(gateway: Gateway) -> None:
    for _ in range(3):
        assert gateway.call("GET", "/v1/whoami", "sk_test_pro_acme") == 200
    assert gateway.call("GET", "/v1/whoami", "sk_test_pro_acme", **{"x-mock-fault": "503"}) == 503
    assert gateway.call("GET", "/v1/contacts/none", "sk_test_pro_acme") == 404
    assert gateway.call("GET", "/v1/whoami", "sk_test_pro_acme", **{"x-mock-fault": "reset"}) == 0
    family = gateway.metrics()[DURATION]
    assert family.type == "histogram"
    about = {"http_request_method": "GET", "gatewright_operation": "whoami"}
    fine = about | {"http_response_status_code": "200"}
    assert value(family, f"{DURATION}_count", **fine) == 3
    assert value(family, f"{DURATION}_count", **about, http_response_status_code="503", error_type="503") == 1
    assert value(family, f"{DURATION}_count", **about, error_type="no_response") == 1
    assert 0 < value(family, f"{DURATION}_sum", **fine) < 20
    bounds = [s for s in family.samples if s.name == f"{DURATION}_bucket" and s.labels.items() >= fine.items()]
    edges = [float(sample.labels["le"]) for sample in bounds]
    assert edges == sorted(edges)
    assert edges[-1] == math.inf
    counts = [sample.value for sample in bounds]
    assert counts == sorted(counts)
    assert counts[-1] == 3


def test_decisions_of_limits_are_counted_by_tier(gateway: Gateway) -> None:
    statuses = [gateway.call("GET", "/v1/whoami", "sk_test_tiny_globex") for _ in range(6)]
    family = gateway.metrics()["gatewright_rate_limit_decisions"]
    assert family.type == "counter"
    name = "gatewright_rate_limit_decisions_total"
    assert value(family, name, tier="tiny", outcome="allowed") == statuses.count(200)
    assert value(family, name, tier="tiny", outcome="refused") == statuses.count(429) > 0
    assert value(family, name, tier="pro", outcome="refused") == 0


def test_no_key_tenant_session_or_path_is_in_it(gateway: Gateway) -> None:
    for number in range(40):
        gateway.call("GET", f"/v1/contacts/c{number}", f"sk_test_pro_tenant{number}", f"session{number}")
        gateway.call(f"BREW{number}", f"/v1/echo/{number}", "sk_test_pro_acme")
    families = gateway.metrics()
    text = "\n".join(str(sample) for family in families.values() for sample in family.samples)
    assert not re.search(r"sk_test|tenant\d|session\d|/v1/|BREW|acme", text)
    assert value(families["gatewright_sessions"], "gatewright_sessions") == 41
    assert value(families["gatewright_journal_entries"], "gatewright_journal_entries") == 80
    assert value(families["gatewright_journal_size_bytes"], "gatewright_journal_size_bytes") > 80 * 100
    assert value(families["http_server_active_requests"], "http_server_active_requests") == 0
    assert value(families["gatewright_region_up"], "gatewright_region_up", region="eu") == 1
    series = sum(len(family.samples) for family in families.values())
    assert series < 400, f"{series} series for requests that are alike"


def test_help_and_type_are_there_for_every_family(gateway: Gateway) -> None:
    assert gateway.call("GET", "/v1/whoami", "sk_test_pro_acme") == 200
    families = gateway.metrics()
    assert len(families) >= 12
    for family in families.values():
        assert family.documentation.endswith("."), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert family.samples, family.name
