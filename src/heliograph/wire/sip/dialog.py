"""A dialog (RFC 3261 12): what both sides keep of each other, and the requests and responses made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from heliograph.wire.sip.headers import parse_address, parse_uri, parse_via, written
from heliograph.wire.sip.message import Header, Request, Response, first

MAX_FORWARDS = "70"
AGENT = "Heliograph"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, UPDATE"


@dataclass(frozen=True, slots=True)
class Dialog:
    """`local` and `remote` are the values of `From` and `To` as our requests write them, tags included; `target` the
    other side's URI, `routes` the way there, `contact` our own address; the numbers are the last used CSeqs."""

    call_id: str
    local: str
    remote: str
    target: str
    contact: str
    routes: tuple[str, ...] = ()
    number: int = 0
    remote_number: int = -1

    @property
    def tags(self) -> tuple[str, str]:
        """Ours and theirs."""
        return parse_address(self.local).tag, parse_address(self.remote).tag

    @property
    def hop(self) -> str:
        """The URI that a request of ours is sent to: the first route, else the other side."""
        return parse_address(self.routes[0]).uri if self.routes else self.target

    def next(self) -> Dialog:
        """The dialog for one more request of ours."""
        return replace(self, number=self.number + 1)

    def heard(self, request: Request) -> Dialog | None:
        """The dialog after a request of the other side, None when that one is older than the last (12.2.2). A
        request that refreshes the target moves it."""
        if request.cseq.number <= self.remote_number and request.method != "ACK":
            return None
        moved = contact_of(request.headers) if request.method in ("INVITE", "UPDATE") else ""
        return replace(self, remote_number=request.cseq.number, target=moved or self.target)

    def request(
        self, method: str, via: str, number: int, more: tuple[Header, ...] = (), body: bytes = b""
    ) -> Request:
        """A request within the dialog (12.2.1.1), loose or strict routing as the first route wants it."""
        uri, routes = self.target, self.routes
        if routes and parse_uri(parse_address(routes[0]).uri).parameter("lr") is None:
            uri, routes = parse_address(routes[0]).uri, (*routes[1:], f"<{self.target}>")
        headers = (
            ("Via", via), ("Max-Forwards", MAX_FORWARDS), *(("Route", route) for route in routes),
            ("From", self.local), ("To", self.remote), ("Call-ID", self.call_id), ("CSeq", f"{number} {method}"),
            ("Contact", f"<{self.contact}>"), ("User-Agent", AGENT), *more,
        )  # fmt: skip
        return Request(method, uri, headers, body)


def by_response(request: Request, response: Response, contact: str) -> Dialog:
    """The caller's dialog (12.1.2). Raises SipError when the response cannot be read."""
    return Dialog(
        call_id=request.first("Call-ID"),
        local=request.first("From"),
        remote=response.first("To"),
        target=contact_of(response.headers) or request.uri,
        contact=contact,
        routes=tuple(reversed(response.all("Record-Route"))),
        number=request.cseq.number,
    )


def by_request(request: Request, to: str, contact: str) -> Dialog:
    """The called side's dialog (12.1.1); `to` is the value of `To` with our tag. Raises SipError."""
    return Dialog(
        call_id=request.first("Call-ID"),
        local=to,
        remote=request.first("From"),
        target=contact_of(request.headers),
        contact=contact,
        routes=tuple(request.all("Record-Route")),
        number=0,
        remote_number=request.cseq.number,
    )


def contact_of(headers: tuple[Header, ...]) -> str:
    """The URI of the first Contact, "" without one; raises SipError when it is no sip URI."""
    value = first(headers, "Contact")
    if not value:
        return ""
    uri = parse_address(value).uri
    parse_uri(uri)
    return uri


def response_to(
    request: Request, code: int, reason: str, tag: str = "", more: tuple[Header, ...] = (), body: bytes = b""
) -> Response:
    """A response (8.2.6): Vias, From, To (with our tag, unless it has one), Call-ID and CSeq as in the request."""
    to = request.first("To")
    if tag and code > 100 and not parse_address(to).tag:
        to = f"{to};tag={tag}"
    headers = [("Via", value) for value in request.all("Via")]
    headers += [("From", request.first("From")), ("To", to)]
    headers += [(name, request.first(name)) for name in ("Call-ID", "CSeq")]
    if 100 < code < 300 and request.method == "INVITE":  # 12.1.1: the route set of the caller
        headers += [("Record-Route", value) for value in request.all("Record-Route")]
    return Response(code, reason, (*headers, *more), body)


def seen_from(request: Request, host: str, port: int) -> Request:
    """A request as it came, its top Via saying from where (18.2.1, RFC 3581 4)."""
    via = parse_via(request.first("Via"))
    parameters = dict(via.parameters)
    if "rport" in parameters:
        parameters["rport"] = str(port)
    if via.host != host or "rport" in parameters:
        parameters["received"] = host
    marked = str(via._replace(parameters=())) + written(tuple(parameters.items()))
    rest = iter([marked, *request.all("Via")[1:]])
    headers = tuple((name, next(rest) if name.lower() == "via" else value) for name, value in request.headers)
    return request._replace(headers=headers)
