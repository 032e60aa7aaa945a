"""Talks to a running server for the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from heliograph.cli.data import read_token
from heliograph.config import Config
from heliograph.model.duration import parse_duration
from heliograph.model.policies.texts import moment_of


class RemoteError(Exception):
    """The server refused or is not there; the text says what and the mend."""


class Remote:
    """The admin and messaging API of a server."""

    def __init__(self, config: Config) -> None:
        self.url = config.url
        self._config = config
        self._http = httpx.Client(base_url=config.url, timeout=30.0, trust_env=False)

    def admin(self, method: str, path: str, **more: Any) -> Any:
        """One admin call; its JSON answer. Raises `RemoteError`."""
        headers = {"authorization": f"Bearer {read_token(self._config)}"}
        answer = self._send(method, f"/admin/v1{path}", headers=headers, **more)
        if answer.status_code >= 400:
            raise RemoteError(_said(answer))
        return self._json(answer)

    def explain(self, body: bytes, service: str, tenant: str) -> Any:
        """What would become of a Messaging call of a service; its tenant is looked up where none is given."""
        if not service:
            raise RemoteError("say with --service who would send the call")
        if not tenant:
            tenants = self.admin("GET", "/workspace").get("tenants", ())
            owners = [
                str(one["id"]) for one in tenants if service in [item["id"] for item in one.get("services", ())]
            ]
            if len(owners) != 1:
                found = f"the tenants {', '.join(owners)} have" if owners else "no tenant has"
                raise RemoteError(f"{found} a service {service}; `heliograph export` shows all, --tenant chooses")
            tenant = owners[0]
        return self.admin("POST", f"/tenants/{tenant}/explain", params={"service": service}, content=body)

    def message(self, body: bytes, key: str) -> Any:
        """One Messaging call; its JSON answer."""
        headers = {"key": key, "content-type": "application/json"}
        return self._published(self._send("POST", "/resources/v1/messaging", content=body, headers=headers))

    def status(self, transid: str, key: str) -> Any:
        """One status query; its JSON answer."""
        return self._published(self._send("GET", f"/resources/v1/messaging/status/{transid}", headers={"key": key}))

    def ready(self) -> Any:
        """What `/readyz` says, ready or not."""
        return self._json(self._send("GET", "/readyz"))

    def lines(self, path: str) -> Iterator[Any]:
        """The JSON lines of a stream, until the server ends it."""
        headers = {"authorization": f"Bearer {read_token(self._config)}"}
        try:
            with self._http.stream("GET", f"/admin/v1{path}", headers=headers, timeout=None) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise RemoteError(_said(answer))
                for line in answer.iter_lines():
                    if line:
                        yield json.loads(line)
        except httpx.ConnectError as error:
            raise self._silent() from error
        except httpx.HTTPError as error:
            raise RemoteError(f"the stream from {self.url} broke: {error}") from error
        except ValueError as error:
            raise self._strange() from error

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx.ConnectError as error:
            raise self._silent() from error
        except httpx.HTTPError as error:
            raise RemoteError(f"the call to {self.url} failed: {error}") from error
        except UnicodeEncodeError as error:
            raise RemoteError(
                "the key or token holds characters that no header carries; give it as it was made"
            ) from error

    def _published(self, answer: httpx.Response) -> Any:
        """What the published API answers, which is always a success of HTTP."""
        if answer.status_code >= 400:
            raise RemoteError(_said(answer))
        return self._json(answer)

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise self._strange() from error

    def _silent(self) -> RemoteError:
        return RemoteError(f"nothing listens at {self.url}; start `heliograph serve` or give --listen")

    def _strange(self) -> RemoteError:
        return RemoteError(f"what listens at {self.url} is no heliograph; give another address with --listen")


def moment(text: str, option: str) -> int:
    """`24h` ago, `2030-01-31` or `2030-01-31T12:00:00Z` in Unix milliseconds. Raises `RemoteError`."""
    try:
        return int(time.time() * 1_000) - parse_duration(text) * 1_000
    except ValueError:
        found = moment_of(text)
    if found is None:
        raise RemoteError(f"{option} {text!r} is no moment; give 24h, 7d, 2030-01-31 or 2030-01-31T12:00:00Z")
    return found


def _said(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return f"the server answered {answer.status_code}"
    faults = "".join(f"\n  {fault['path']}: {fault['message']}" for fault in error.get("faults", ()))
    message = str(error["message"])
    return message.split("\n")[0] + faults if faults else message
