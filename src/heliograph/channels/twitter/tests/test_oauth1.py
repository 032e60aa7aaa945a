"""Our signatures of OAuth 1.0a, verified by another implementation of the standard."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from heliograph.channels.twitter import oauth1
from heliograph.channels.twitter.settings import made_up
from heliograph.wire.plain_asgi import Asked, Reply, application, said
from heliograph.wire.standin import HttpStandIn

from .conftest import LANE, Connect, body

KEYS = oauth1.Keys("consumer-key", "consumer secret&%", "12345-token", "token=secret/+")
URL = "https://api.x.com/2/dm_conversations/with/1577568001/messages"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


class Validator(RequestValidator):
    """Knows one app and one user."""

    enforce_ssl = False
    dummy_client = dummy_access_token = "nobody"

    def __init__(self, keys: oauth1.Keys) -> None:
        self._keys = keys
        super().__init__()

    def check_client_key(self, client_key: str) -> bool:
        return True

    check_nonce = check_access_token = check_client_key

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._keys.consumer_secret

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._keys.token_secret

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == self._keys.consumer_key

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == self._keys.token

    def validate_timestamp_and_nonce(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def validate_realms(self, *args: Any, **kwargs: Any) -> bool:
        return True


def verified(method: str, url: str, header: str, keys: oauth1.Keys = KEYS, sent: str = '{"text":"hi"}') -> bool:
    """What the other implementation says of a call."""
    headers = {"Authorization": header, "Content-Type": "application/json"}
    endpoint = ResourceEndpoint(Validator(keys))
    return bool(endpoint.validate_protected_resource_request(url, method, sent, headers)[0])


def header(method: str = "POST", url: str = URL, keys: oauth1.Keys = KEYS) -> str:
    """A header made now."""
    return oauth1.authorization(method, url, keys, nonce="abcdefghij0123456789", timestamp=int(time.time()))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}?dm_event.fields=id,text&max_results=5",
        f"{URL}?a=b%20c&a=a&empty=",
        "http://127.0.0.1:8080/1.1/direct_messages/events/new.json",
        "HTTPS://API.X.COM:443/2/users/me",
        "http://api.x.com:80/",
    ],
)
def test_a_signature_is_verified(url: str) -> None:
    assert verified("POST", url, header(url=url))


@given(name=TEXT.filter(bool), value=TEXT)
def test_any_parameter_is_signed_as_the_standard_says(name: str, value: str) -> None:
    url = f"{URL}?{quote(name, safe='')}={quote(value, safe='')}"

    assert verified("GET", url, header("GET", url), sent="")


@pytest.mark.parametrize("index", range(4))
def test_another_key_is_not_verified(index: int) -> None:
    others = KEYS._replace(**{KEYS._fields[index]: "another"})

    assert not verified("POST", URL, header(keys=others))


def test_another_method_or_url_is_not_verified() -> None:
    assert not verified("GET", URL, header())
    assert not verified("POST", f"{URL}?more=1", header())


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=5))
def test_a_header_is_read_as_it_was_written(members: dict[str, str]) -> None:
    written = "OAuth " + ", ".join(
        f'{oauth1.escaped(name)}="{oauth1.escaped(value)}"' for name, value in members.items()
    )

    assert {name: value for name, value in oauth1.read(written).items() if name} == members


async def test_a_message_over_the_wire_is_verified(connect: Connect) -> None:
    calls: list[Asked] = []

    async def take(asked: Asked) -> Reply:
        calls.append(asked)
        return said({"data": {"dm_event_id": "1"}}, 201)

    server = HttpStandIn(application(take), "127.0.0.1", 0)
    url = (await server.start()).url()
    line = await connect(endpoint=url)
    await line.result("1577568001", body("Grüße & more"))
    [call] = calls
    made = made_up(LANE)
    keys = oauth1.Keys(*(made[name] for name in (
        "consumer_key", "consumer_secret", "access_token", "access_token_secret")))  # fmt: skip

    assert verified("POST", url + call.path, call.headers["authorization"], keys, call.body.decode())
    assert call.body.decode() == '{"text":"Grüße & more"}'
    await server.stop()
