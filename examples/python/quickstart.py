# Run it: cargo xtask demo    (or beside a running gateway: python quickstart.py)
"""Everything that an API client should do by itself, seen to happen: pages, retries, exactly once, pacing, webhooks."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from gatewright import Client
from gatewright.webhooks import Webhook, WebhookVerificationError

if TYPE_CHECKING:
    from gatewright import Attempt

URL = os.environ.get("GATEWRIGHT_URL", "http://127.0.0.1:4010")
ADMIN_URL = os.environ.get("GATEWRIGHT_ADMIN_URL", "http://127.0.0.1:4011")
SESSION = f"quickstart-{uuid.uuid4().hex[:8]}"  # a world of its own in the gateway

admin = Client(f"{ADMIN_URL}/admin")


def connect(key: str) -> Client:
    return Client(URL, auth=key, headers={"X-Mock-Session": SESSION})


def ask_gateway(what: str, **params: str) -> Any:
    return admin.get(what, params={"session": SESSION, **params}).json()


def tell_gateway(method: str, what: str, value: object) -> Any:
    return admin.request(method, what, params={"session": SESSION}, json=value).json()


def pages() -> None:
    headline("1  Pages", "client.items() fetches page after page as you go")
    with connect("sk_test_pro_acme") as client:
        for number, page in enumerate(client.pages("/v1/contacts", params={"limit": 20}), 1):
            print(f"   page {number}: {len(page.items)} contacts, the first is {page.items[0]['name']}")
        names = [contact["name"] for contact in client.items("/v1/contacts", params={"limit": 20})]
    check(len(names) == 45, f"{len(names)} contacts in all")


def exactly_once() -> None:
    headline("2  Exactly once", "a POST through a connection reset and a 503")
    rule = {"match": {"op": "contacts.create"}, "script": ["reset", "503"]}
    tell_gateway("PUT", "faults", {"rules": [rule]})
    with connect("sk_test_pro_acme") as client:
        created = client.post("/v1/contacts", json={"name": "Ada Lovelace", "email": "ada@example.com"})
    timeline(created.attempts)
    effects = ask_gateway("effects", op="contacts.create")
    keys = {
        dict(entry["headers"])["idempotency-key"] for entry in ask_gateway("journal", op="contacts.create")["entries"]
    }
    check(created.status_code == 201, f"created {created.json()['id']} with attempt {len(created.attempts)}")
    check(len(created.attempts) == 3 and len(keys) == 1, "all attempts carried the same idempotency key")
    check(effects["count"] == 1, f"the gateway counts {effects['count']} side effect")


def pacing() -> None:
    headline("3  Pacing", "12 calls where 3 per 2 s are allowed")
    begun = time.monotonic()
    calls: list[tuple[float, Attempt]] = []
    with connect("sk_test_tiny_acme") as client:
        for _ in range(12):
            start = time.monotonic() - begun
            calls += [(start, attempt) for attempt in client.get("/v1/whoami").attempts]
    took = time.monotonic() - begun
    scale = 48 / took
    for number, (start, attempt) in enumerate(calls, 1):
        sent = start + attempt.started
        waits, at = round((sent - start) * scale), round(start * scale)
        print(f"   {number:>2} {' ' * at}{dim('·' * waits)}{good('█')}{' ' * (48 - at - waits)} sent at {sent:4.2f} s")
    shortest = (12 - 3) * 2 / 3  # a burst of 3 at once, then one every 2/3 s
    refused = sum(entry["status"] == 429 for entry in ask_gateway("journal", op="whoami")["entries"])
    # On a busy machine a call may be long on its way, and the next then comes too early.
    check(refused <= 2 and len(calls) == 12 + refused, f"{refused} answers were 429")
    check(took <= shortest * 2, f"took {took:.2f} s; the shortest possible time is {shortest:.2f} s")


def webhooks() -> None:
    headline("4  Webhooks", "a signed event comes in, and a tampered one stays out")
    received: queue.Queue[tuple[bytes, Any]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put((self.rfile.read(int(self.headers["Content-Length"])), self.headers))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}/hook"
        endpoint = tell_gateway("POST", "webhooks/endpoints", {"url": here, "types": ["contact.created"]})
        with connect("sk_test_pro_acme") as client:
            client.post("/v1/contacts", json={"name": "Grace Hopper"})
        body, headers = received.get(timeout=10)
        server.shutdown()

    webhook = Webhook(endpoint["secret"])
    event = webhook.verify(body, headers).json()
    check(event["type"] == "contact.created", f"verified {event['type']}: {event['data']['name']}")
    try:
        webhook.verify(body.replace(b"Grace", b"Mallory"), headers)
    except WebhookVerificationError as error:
        check(error.code == "bad_signature", f"refused the tampered one: {error.code}")
    else:
        check(False, "refused the tampered one")


# ---- What follows only prints.

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ
failed: list[str] = []


def paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if COLOURS else text


def good(text: str) -> str:
    return paint("32", text)


def bad(text: str) -> str:
    return paint("31", text)


def dim(text: str) -> str:
    return paint("2", text)


def headline(title: str, what: str) -> None:
    print(f"\n{paint('1', title)}  {dim(what)}")


def check(is_so: bool, what: str) -> None:
    print(f"   {good('✓') if is_so else bad('✗')} {what}")
    if not is_so:
        failed.append(what)


def timeline(attempts: tuple[Attempt, ...]) -> None:
    """A line for each attempt: dots are waits, blocks are requests."""
    scale = 48 / (attempts[-1].started + attempts[-1].took)
    idle_from = 0.0
    for attempt in attempts:
        before, waits = round(idle_from * scale), round((attempt.started - idle_from) * scale)
        busy = max(1, round(attempt.took * scale))
        bar = (good if attempt.decision == "return" else bad)("█" * busy)
        outcome = attempt.status or str(attempt.error).partition(":")[0]
        then = f"retry in {attempt.wait * 1000:.0f} ms" if attempt.wait is not None else attempt.decision
        picture = f"{' ' * before}{dim('·' * waits)}{bar}{' ' * max(0, 50 - before - waits - busy)}"
        print(f"   {attempt.number:>2} {picture} {attempt.started:4.2f} s  {outcome}  {dim('→ ' + then)}")
        idle_from = attempt.started + attempt.took


if __name__ == "__main__":
    for part in (pages, exactly_once, pacing, webhooks):
        part()
    print(f"\n{bad('Not so: ') + ', '.join(failed) if failed else good('All of it is so.')}")
    sys.exit(bool(failed))
