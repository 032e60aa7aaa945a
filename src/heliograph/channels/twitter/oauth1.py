"""The signature of OAuth 1.0a: HMAC-SHA1 over method, URL and parameters. Source: RFC 5849. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit


class Keys(NamedTuple):
    """The keys of an app and of the user it acts for."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


def authorization(method: str, url: str, keys: Keys, *, nonce: str, timestamp: int) -> str:
    """The Authorization header of a call whose body is no form (3.4.1.3.1: such a body is not signed)."""
    parameters = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(timestamp),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    parameters["oauth_signature"] = signature(method, url, parameters.items(), keys)
    return "OAuth " + ", ".join(f'{name}="{escaped(value)}"' for name, value in sorted(parameters.items()))


def signature(method: str, url: str, parameters: Iterable[tuple[str, str]], keys: Keys) -> str:
    """The signature over a call and its `oauth_` parameters but the signature itself (3.4.1, 3.4.2)."""
    parts = urlsplit(url)
    given = [*parameters, *parse_qsl(parts.query, keep_blank_values=True)]
    pairs = sorted((escaped(name), escaped(value)) for name, value in given)
    normal = "&".join(f"{name}={value}" for name, value in pairs)
    text = "&".join((method.upper(), escaped(base_uri(url)), escaped(normal)))
    secret = f"{escaped(keys.consumer_secret)}&{escaped(keys.token_secret)}"
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()


def base_uri(url: str) -> str:
    """3.4.1.2: scheme and host in lower case, the usual port left out, no query."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(scheme)
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{scheme}://{host}{port}{parts.path or '/'}"


def read(header: str) -> Mapping[str, str]:
    """The parameters of an Authorization header; empty when it is none of OAuth 1.0a."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        return {}
    pairs = (item.strip().partition("=") for item in rest.split(","))
    return {unquote(name): unquote(value.strip('"')) for name, _, value in pairs}


def escaped(text: str) -> str:
    """3.6: everything but the unreserved characters as %XX."""
    return quote(text, safe="-._~")
