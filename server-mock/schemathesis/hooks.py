"""What OpenAPI cannot say of the gateway: what costs real time, a media type, what is there, and what does not fit it.

Loaded beside schemathesis.toml by `cargo xtask test gateway` (xtask/src/schemathesis.rs), which says in GATEWRIGHT_URL
where the gateway is.
"""

from __future__ import annotations

import os
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.openapi.checks import RejectedPositiveData

if TYPE_CHECKING:
    from schemathesis.core.failures import Failure
    from schemathesis.core.transport import Response

# Bytes of a part of an upload.
schemathesis.openapi.media_type("application/partial-upload", st.binary(max_size=64))

# What a case may cost. The document allows minutes and a gigabyte; what it allows and is greater becomes this.
AFFORDABLE = {
    "bytes": 20,
    "count": 20,
    "interval_ms": 2,
    "items": 20,
    "ms": 20,
    "n": 20,
    "per_connection": 20,
}

# What is there from the start, for operations whose ids no answer says: see `after_load_schema`.
NAMED = {
    "/v1/files/{id}/content": "fl_000001",
    "/v1/uploads/{id}": "up_000001",
    "/v1/webhook_deliveries/{id}/redeliver": "dlv_000001",
    "/v1/webhook_dead_letters/{id}": "dlv_000001",
}

# Refusals of what is valid by its schema, because of what there is: the code, and why no schema can say it.
DOES_NOT_FIT = {
    "events_gone": "the log does not reach as far",
    "idempotency_key_reused": "the key was used with another body",
    "invalid_cursor": "only lists make cursors",
    "login_state_mismatch": "only an attempt to log in makes a state",
    "malformed_multipart": "names of other parts may have control characters, which no header can have",
    "multipart_too_many_parts": "other parts may be lists, of which each item is a part",
    "precondition_failed": "the entity tag is of another version",
}
# The same for fields of a body, by the code of each error.
FIELD_DOES_NOT_FIT = {
    "conflict": "one field leaves no room for another",
    "invalid_filter": "filters are a language of their own",
    "invalid_url": "where one may go to is decided by what an address is",
    "reserved_header": "the header is the gateway's own, whatever its case",
    "unknown_reference": "it names a record that is not there",
}


@schemathesis.hook
def after_load_schema(context: schemathesis.HookContext, schema: schemathesis.BaseSchema) -> None:
    """Makes an upload, a file and a delivery that the cases can be about."""
    # A schema does not know yet where it is from.
    url = os.environ["GATEWRIGHT_URL"]
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer sk_test_unlimited_acme"
        session.post(f"{url}/v1/files", data=b"part", headers={"Upload-Complete": "?0"}, timeout=20).raise_for_status()
        session.post(f"{url}/v1/files", data=b"whole", timeout=20).raise_for_status()
        endpoint = {"url": "http://127.0.0.1:9/hook"}
        session.post(f"{url}/v1/webhook_endpoints", json=endpoint, timeout=20).raise_for_status()
        session.post(f"{url}/v1/contacts", json={"name": "Ada"}, timeout=20).raise_for_status()


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Makes what is allowed, and dear, affordable; every other valid case is made to fit what there is."""
    if case.meta and case.meta.generation.mode.is_positive and is_even(case):
        fit(case)
    for values, parameters in (
        (case.query, case.operation.query),
        (case.path_parameters, case.operation.path_parameters),
    ):
        for parameter in parameters:
            name, schema = parameter.name, parameter.definition.get("schema", {})
            affordable = AFFORDABLE.get(name)
            number = whole(values.get(name)) if values else None
            if affordable is not None and number is not None and affordable < number <= schema.get("maximum", 0):
                values[name] = affordable
    return case


def fit(case: schemathesis.Case) -> None:
    """Leaves out what refers to something else, and names what is there."""
    for name in ("If-Match", "Idempotency-Key"):
        (case.headers or {}).pop(name, None)
    (case.query or {}).pop("cursor", None)
    if case.path in NAMED and case.path_parameters:
        case.path_parameters["id"] = NAMED[case.path]
    if isinstance(case.body, dict):
        for name in ("contact_ids", "owner_id"):
            case.body.pop(name, None)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: schemathesis.Case, response: Response
) -> bool:
    """Drops what is no failure: a valid request that does not fit what there is was refused for that very reason."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = problem_of(response)
    if case.path.startswith("/oauth/"):
        # The steps of a protocol: what is missing or not known is told as its RFC has it, in the form of its RFC.
        return response.status_code != HTTPStatus.BAD_REQUEST
    if case.path == "/v1/usage":
        # From, to and length of a bucket have to fit each other.
        return problem.get("code") != "invalid_parameter"
    if problem.get("code") == "validation_failed":
        return not all(error["code"] in FIELD_DOES_NOT_FIT for error in problem["errors"])
    return problem.get("code") not in DOES_NOT_FIT


def is_even(case: schemathesis.Case) -> bool:
    """Half of the cases, the same in each run."""
    return zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode()) % 2 == 0


def whole(value: Any) -> int | None:
    """The number that a parameter is."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def problem_of(response: Response) -> dict[str, Any]:
    """The problem that was answered, if one was."""
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
