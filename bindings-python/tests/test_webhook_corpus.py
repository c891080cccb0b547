"""Every case of conformance/webhooks: one verdict in every language, whole and as a stream."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gatewright._native import webhook_schemes
from gatewright.webhooks import Template, Verified, Webhook, WebhookKeyError, WebhookVerificationError

Json = dict[str, Any]

CORPUS = Path(__file__).resolve().parents[2] / "conformance" / "webhooks"
PROVEN = [
    *("algorithm", "key_index", "timestamp", "message_id"),
    *("body_bound", "timestamp_signed", "id_signed", "url_bound"),
]


def receiver(case: Json) -> Webhook:
    settings: Json = dict(case.get("settings", {}))
    certificate: str | None = settings.pop("certificate", None)
    if certificate is not None:
        pem = certificate.encode()

        def fetch(url: str) -> bytes:
            assert url.startswith("https://")
            return pem

        settings["fetch_certificate"] = fetch
    else:
        settings["fetch_certificate"] = False
    if "template" in settings:
        settings["template"] = Template(**settings["template"])
    return Webhook(case["secrets"], scheme=case["scheme"], **settings)


def headers(case: Json) -> list[tuple[str, bytes]]:
    def value(given: Any) -> bytes:
        return base64.b64decode(given["base64"]) if isinstance(given, dict) else given.encode()

    return [(name, value(given)) for name, given in case["headers"]]


def proven(verified: Verified) -> Json:
    return {"verdict": "valid", **{name: getattr(verified, name) for name in PROVEN}}


def play(case: Json, *, streamed: bool) -> Json:
    body = base64.b64decode(case["body"])
    request: Json = {name: case.get(name) for name in ("url", "method", "now")}
    try:
        webhook = receiver(case)
        if not streamed:
            return proven(webhook.verify(body, headers(case), **request))
        verifier = webhook.verifier(headers(case), **request)
        for at in range(0, len(body), 7):
            verifier.update(body[at : at + 7])
        return proven(verifier.finish())
    except WebhookKeyError:
        return {"verdict": "key_error"}
    except WebhookVerificationError as error:
        return {"verdict": error.code}


def cases(scheme: str) -> list[Json]:
    read: list[Json] = json.loads((CORPUS / f"{scheme}.json").read_text(encoding="utf-8"))
    return read


def test_there_is_a_file_for_every_scheme() -> None:
    assert {file.stem for file in CORPUS.glob("*.json")} == set(webhook_schemes())


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("scheme", webhook_schemes())
def test_every_case_has_its_verdict(scheme: str, streamed: bool) -> None:
    played = cases(scheme)
    assert len(played) > 20
    verdicts = {case["name"]: (play(case, streamed=streamed), case["expect"]) for case in played}
    wrong = {name: verdict for name, verdict in verdicts.items() if verdict[0] != verdict[1]}
    assert wrong == {}
