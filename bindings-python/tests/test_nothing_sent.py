"""What is wrong with a client or a request is said before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import InsecureUrlError, InvalidConfigError, InvalidRequestError, Retry

if TYPE_CHECKING:
    from mock_gateway import Session

SECONDS = "it must be a number of seconds above zero, or none for no limit; change the setting"
CREDENTIAL = (
    "invalid_config: `auth`: the credential has a character that no HTTP header can carry (a newline or a space at its "
    "end?); strip it where you read it; change the setting"
)

CLIENTS: list[tuple[str, dict[str, Any], type[gatewright.Error], str]] = [
    (
        "not a url",
        {},
        InvalidConfigError,
        (
            "invalid_config: `base_url` is no URL (relative URL without a base); "
            "it looks like https://api.example.com/v1; change the setting"
        ),
    ),
    (
        "ftp://example.com",
        {},
        InvalidConfigError,
        'invalid_config: `base_url` has the scheme "ftp"; it must be https (or http); change the setting',
    ),
    (
        "http://api.example.com",
        {},
        InsecureUrlError,
        (
            "insecure_url: plain http to api.example.com would show credentials and data to everyone on the way; "
            "use https, or set `allow_http` if the network in between is yours"
        ),
    ),
    ("https://h", {"timeout": float("nan")}, InvalidConfigError, f"invalid_config: `timeout` is NaN; {SECONDS}"),
    ("https://h", {"timeout": 0}, InvalidConfigError, f"invalid_config: `timeout` is 0; {SECONDS}"),
    ("https://h", {"read_timeout": -1}, InvalidConfigError, f"invalid_config: `read_timeout` is -1; {SECONDS}"),
    (
        "https://h",
        {"attempt_timeout": float("inf")},
        InvalidConfigError,
        f"invalid_config: `attempt_timeout` is inf; {SECONDS}",
    ),
    ("https://h", {"connect_timeout": 0.0}, InvalidConfigError, f"invalid_config: `connect_timeout` is 0; {SECONDS}"),
    ("https://h", {"auth": "line\nbreak"}, InvalidConfigError, CREDENTIAL),
    ("https://h", {"auth": gatewright.ApiKey("line\nbreak")}, InvalidConfigError, CREDENTIAL),
    (
        "https://h",
        {"auth": ""},
        InvalidConfigError,
        "invalid_config: `auth`: the credential is empty; is its environment variable set?; change the setting",
    ),
    (
        "https://h",
        {"headers": {"x-a": "line\nbreak"}},
        InvalidConfigError,
        (
            "invalid_config: the value of the header x-a has a character that no header can carry (a newline?); "
            "change the setting"
        ),
    ),
    (
        "https://h",
        {"headers": {"a b": "c"}},
        InvalidConfigError,
        'invalid_config: "a b" is no header name; change the setting',
    ),
    (
        "https://h",
        {"max_attempts": 0},
        InvalidConfigError,
        "invalid_config: `max_attempts` is 0; the first attempt is one of them; change the setting",
    ),
    (
        "https://h",
        {"retry": Retry(max_attempts=-1)},
        InvalidConfigError,
        "invalid_config: `max_attempts` is -1, which is out of range; change the setting",
    ),
    (
        "https://h",
        {"retry": Retry(backoff_base=float("nan"))},
        InvalidConfigError,
        "invalid_config: `backoff_base` is NaN; it must be a number of seconds, zero or more; change the setting",
    ),
    (
        "https://h",
        {"quota": "lots"},
        InvalidConfigError,
        (
            'invalid_config: `quota`: got "lots" when expecting calls, a slash and a time, as in "100/min" or '
            '"100/min, burst 20"; change the setting'
        ),
    ),
    (
        "https://h",
        {"proxy": "::"},
        InvalidConfigError,
        "invalid_config: `proxy` is no proxy URL; it looks like http://host:port; change the setting",
    ),
    (
        "https://h",
        {"ca_certificates": b"no certificate"},
        InvalidConfigError,
        "invalid_config: `ca_certificates` cannot be read: there is no PEM certificate in it; change the setting",
    ),
    (
        "http://localhost:1",
        {"pins": ["sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]},
        InvalidConfigError,
        (
            "invalid_config: `pins`: localhost is spoken to over plain http, which shows no certificate; use https; "
            "change the setting"
        ),
    ),
]


@pytest.mark.parametrize("kind", [gatewright.Client, gatewright.AsyncClient])
@pytest.mark.parametrize(("url", "settings", "error", "text"), CLIENTS)
def test_wrong_settings_are_told_when_the_client_is_made(
    kind: type[gatewright.Client | gatewright.AsyncClient],
    url: str,
    settings: dict[str, Any],
    error: type[gatewright.Error],
    text: str,
) -> None:
    with pytest.raises(error) as caught:
        kind(url, **settings)
    assert str(caught.value) == text
    assert isinstance(caught.value, ValueError)
    assert caught.value.attempts == ()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"timeout": "5"}, "must be real number, not str"),
        (
            {"auth": 5},
            r"auth= takes a str, \(user, password\), Bearer, Basic, ApiKey, .*Dpop or a callable, not this int",
        ),
        ({"auth": ("a", "b", "c")}, r"auth= takes .* not this tuple"),
        ({"auth": gatewright.ApiKey("k", header="a", query="b")}, "an ApiKey goes to one place"),
        ({"headers": {"a": None}}, "a header's value is str, bytes or a number, not NoneType"),
        ({"headers": {5: "a"}}, "a header's name is str, not int"),
    ],
)
def test_settings_of_another_type_are_type_errors(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        gatewright.Client("https://h", **settings)


REQUESTS: list[tuple[dict[str, Any], str]] = [
    (
        {"json": {1, 2}},
        (
            "the body cannot be encoded as JSON: TypeError: Object of type set is not JSON serializable; "
            "change the request; nothing was sent"
        ),
    ),
    (
        {"json": float("nan")},
        "the body cannot be encoded as JSON: ValueError: Out of range float values are not JSON compliant",
    ),
    (
        {"json": "\ud800"},
        (
            "the body cannot be encoded as JSON: UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800' in "
            "position 1: surrogates not allowed; change the request; nothing was sent"
        ),
    ),
    ({"content": "\ud800"}, "the body cannot be encoded as UTF-8; change the request; nothing was sent"),
    ({"data": {"a": "\ud800"}}, "a parameter cannot be encoded as UTF-8; change the request; nothing was sent"),
    ({"params": {"\ud800": 1}}, "a parameter's name cannot be encoded as UTF-8; change the request; nothing was sent"),
    (
        {"headers": {"x-a": "line\nbreak"}},
        (
            "POST {url}/v1/echo the value of the header x-a has a character that no header can carry (a newline?); "
            "change the request; nothing was sent"
        ),
    ),
    ({"headers": {"": "a"}}, 'POST {url}/v1/echo "" is no header name; change the request; nothing was sent'),
    (
        {"idempotency_key": ""},
        "the idempotency key is empty or has a character that no header can carry; change the request",
    ),
    ({"max_attempts": 0}, "`max_attempts` is 0; it must be 1 or more; change the request; nothing was sent"),
    ({"max_attempts": -1}, "`max_attempts` is -1; it must be 1 or more; change the request; nothing was sent"),
]


def check_invalid(error: gatewright.Error, text: str, session: Session) -> None:
    assert str(error).startswith("invalid_request: " + text.replace("{url}", session.url))
    assert isinstance(error, ValueError)
    assert error.attempts == ()
    assert error.retryability == "permanent"
    assert session.journal() == []


@pytest.mark.parametrize(("options", "text"), REQUESTS)
def test_a_request_that_cannot_be_sent_is_not_sent(session: Session, options: dict[str, Any], text: str) -> None:
    with session.client() as client, pytest.raises(InvalidRequestError) as caught:
        client.post("/v1/echo", **options)
    check_invalid(caught.value, text, session)


@pytest.mark.parametrize(("options", "text"), REQUESTS)
async def test_a_request_that_cannot_be_sent_is_not_sent_async(
    session: Session, options: dict[str, Any], text: str
) -> None:
    async with session.async_client() as client:
        with pytest.raises(InvalidRequestError) as caught:
            await client.post("/v1/echo", **options)
    check_invalid(caught.value, text, session)


def test_pythons_own_error_is_the_cause_of_a_body_that_cannot_be_encoded(session: Session) -> None:
    with session.client() as client:
        with pytest.raises(InvalidRequestError) as as_json:
            client.post("/v1/echo", json=object())
        with pytest.raises(InvalidRequestError) as as_text:
            client.post("/v1/echo", content="\ud800")
    assert isinstance(as_json.value.__cause__, TypeError)
    assert isinstance(as_text.value.__cause__, UnicodeEncodeError)


@pytest.mark.parametrize("timeout", [float("nan"), 0, -1])
def test_a_timeout_that_is_no_time_is_refused_for_one_call_too(session: Session, timeout: float) -> None:
    with session.client() as client, pytest.raises(InvalidConfigError, match="it must be a number of seconds"):
        client.get("/v1/echo", timeout=timeout)
    assert session.journal() == []


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/a\nb", InvalidRequestError, "the path has a control character"),
        ("https://elsewhere.example/x", gatewright.CrossOriginError, "the URL leads to https://elsewhere.example, not"),
        ("http://[::1", InvalidRequestError, "the URL is no URL"),
    ],
)
def test_a_path_that_leads_nowhere_good_is_refused(
    session: Session, path: str, kind: type[gatewright.Error], text: str
) -> None:
    with session.client() as client, pytest.raises(kind) as caught:
        client.get(path)
    assert text in str(caught.value)
    assert session.journal() == []


def test_a_method_that_is_none_is_refused(session: Session) -> None:
    with session.client() as client, pytest.raises(InvalidRequestError, match='"GE T" is no HTTP method'):
        client.request("GE T", "/v1/echo")
    assert session.journal() == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"json": {}, "content": b""}, "give one of json=, content= and data="),
        ({"content": {"a": 1}}, "content= takes bytes, str, a file, .* that gives one, not dict; for JSON use json="),
        ({"content": 5}, "content= takes bytes, str, a file, .* that gives one, not int"),
    ],
)
def test_arguments_that_do_not_go_together_are_type_errors(
    session: Session, options: dict[str, Any], text: str
) -> None:
    with session.client() as client, pytest.raises(TypeError, match=text):
        client.post("/v1/echo", **options)
    assert session.journal() == []
