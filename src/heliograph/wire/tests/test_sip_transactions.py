"""The four transactions: every timer, and what holds whatever is lost between two sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.sip import transactions as tx
from heliograph.wire.sip.dialog import response_to
from heliograph.wire.sip.message import Request, Response

T = tx.Timers()


def request(method: str = "INVITE") -> Request:
    headers = (
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"), ("Max-Forwards", "70"), ("Route", "<sip:p;lr>"),
        ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "x"), ("CSeq", f"7 {method}"),
    )  # fmt: skip
    return Request(method, "sip:c@d", headers)


def response(code: int, method: str = "INVITE") -> Response:
    return response_to(request(method), code, "Any", "2")


def sent_until(machine: tx.Client | tx.Server, end: float) -> list[float]:
    """When something was sent by the machine's own alarms until then."""
    times = []
    while machine.due is not None and machine.due <= end:
        at = machine.due
        times += [at for out in machine.tick(at) if isinstance(out, tx.Send)]
    return times


# INVITE, asking


def test_timer_a_doubles_without_a_bound_until_timer_b() -> None:
    machine = tx.ClientInvite(request(), T, reliable=False)
    assert machine.start(0.0) == [tx.Send(request())]

    assert sent_until(machine, 31.9) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert machine.tick(32.0) == [tx.Lost()]
    assert machine.state == "over"


def test_a_reliable_transport_has_no_timer_a_but_timer_b() -> None:
    machine = tx.ClientInvite(request(), T, reliable=True)
    machine.start(0.0)

    assert machine.due == 32.0
    assert machine.tick(32.0) == [tx.Lost()]


def test_a_provisional_response_stops_timers_a_and_b() -> None:
    machine = tx.ClientInvite(request(), T, reliable=False)
    machine.start(0.0)

    assert machine.receive(response(100), 0.1) == [tx.Heard(response(100))]
    assert machine.due is None
    assert machine.receive(response(180), 0.2) == [tx.Heard(response(180))]


@pytest.mark.parametrize("code", [300, 404, 486, 503, 603])
def test_a_refusal_is_acknowledged_once_more_for_every_repetition_until_timer_d(code: int) -> None:
    machine = tx.ClientInvite(request(), T, reliable=False)
    machine.start(0.0)
    ack = tx.ack_of(request(), response(code))

    assert machine.receive(response(code), 1.0) == [tx.Send(ack), tx.Heard(response(code))]
    assert machine.receive(response(code), 20.0) == [tx.Send(ack)]
    assert machine.due == 33.0
    assert machine.tick(33.0) == []
    assert machine.state == "over"


def test_over_a_reliable_transport_a_refusal_ends_it_at_once() -> None:
    machine = tx.ClientInvite(request(), T, reliable=True)
    machine.start(0.0)
    machine.receive(response(486), 1.0)

    assert machine.state == "over"


def test_the_ack_of_a_refusal_is_of_the_same_transaction() -> None:
    ack = tx.ack_of(request(), response(486))

    assert ack.first("Via") == request().first("Via")
    assert ack.first("To") == "<sip:c@d>;tag=2"
    assert (ack.first("CSeq"), ack.uri, ack.all("Route")) == ("7 ACK", "sip:c@d", ["<sip:p;lr>"])


def test_every_repetition_of_an_acceptance_is_told_until_timer_m() -> None:
    machine = tx.ClientInvite(request(), T, reliable=False)
    machine.start(0.0)

    assert machine.receive(response(200), 1.0) == [tx.Heard(response(200))]
    assert machine.receive(response(200), 2.0) == [tx.Heard(response(200))]
    assert machine.receive(response(486), 2.0) == []
    assert machine.tick(33.0) == []
    assert machine.receive(response(200), 34.0) == []


def test_a_cancel_has_the_branch_and_the_number_of_its_invite() -> None:
    cancel = tx.cancel_of(request())

    assert (cancel.method, cancel.uri, cancel.first("CSeq")) == ("CANCEL", "sip:c@d", "7 CANCEL")
    for name in ("Via", "From", "To", "Call-ID", "Route"):
        assert cancel.all(name) == request().all(name)


# Others, asking


def test_timer_e_doubles_up_to_t2_until_timer_f() -> None:
    machine = tx.ClientOther(request("BYE"), T, reliable=False)
    machine.start(0.0)

    assert sent_until(machine, 31.9) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert machine.tick(32.0) == [tx.Lost()]


def test_after_a_provisional_response_timer_e_is_t2() -> None:
    machine = tx.ClientOther(request("BYE"), T, reliable=False)
    machine.start(0.0)
    machine.receive(response(100, "BYE"), 0.1)

    assert sent_until(machine, 9.0) == [0.5, 4.5, 8.5]


def test_timer_k_takes_repetitions_up() -> None:
    machine = tx.ClientOther(request("BYE"), T, reliable=False)
    machine.start(0.0)

    assert machine.receive(response(200, "BYE"), 1.0) == [tx.Heard(response(200, "BYE"))]
    assert machine.receive(response(200, "BYE"), 2.0) == []
    assert machine.due == 6.0
    machine.tick(6.0)
    assert machine.state == "over"


# INVITE, answering


def test_the_last_provisional_response_answers_a_repeated_invite() -> None:
    machine = tx.ServerInvite(request(), T, reliable=False)
    machine.respond(response(180), 0.0)

    assert machine.repeated(0.6) == [tx.Send(response(180))]


def test_timer_g_repeats_a_refusal_until_timer_h() -> None:
    machine = tx.ServerInvite(request(), T, reliable=False)
    machine.respond(response(486), 0.0)

    assert sent_until(machine, 16.0) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5]
    assert [out for at in range(16, 33) for out in machine.tick(float(at))][-1] == tx.Lost()


def test_an_ack_ends_timer_g_and_timer_i_takes_repetitions_up() -> None:
    machine = tx.ServerInvite(request(), T, reliable=False)
    machine.respond(response(486), 0.0)

    assert machine.acked(0.2)
    assert not machine.acked(0.3)
    assert machine.due == 5.2
    machine.tick(5.2)
    assert machine.state == "over"


def test_over_a_reliable_transport_a_refusal_is_sent_once_and_timer_i_is_none() -> None:
    machine = tx.ServerInvite(request(), T, reliable=True)
    machine.respond(response(486), 0.0)

    assert machine.due == 32.0
    machine.acked(0.2)
    assert machine.state == "over"


@pytest.mark.parametrize("reliable", [True, False])
def test_an_acceptance_is_repeated_until_its_ack(reliable: bool) -> None:
    machine = tx.ServerInvite(request(), T, reliable)
    machine.respond(response(200), 0.0)

    assert sent_until(machine, 4.0) == [0.5, 1.5, 3.5]
    assert machine.acked(4.1)
    assert sent_until(machine, 31.0) == []
    assert machine.tick(32.0) == []


def test_an_acceptance_without_ack_is_told() -> None:
    machine = tx.ServerInvite(request(), T, reliable=False)
    machine.respond(response(200), 0.0)
    sent_until(machine, 31.9)

    assert machine.tick(32.0) == [tx.Lost()]


def test_after_a_final_response_nothing_else_is_sent() -> None:
    machine = tx.ServerInvite(request(), T, reliable=False)
    machine.respond(response(486), 0.0)

    assert machine.respond(response(200), 0.1) == []
    assert machine.repeated(0.2) == [tx.Send(response(486))]


# Others, answering


def test_a_repeated_request_gets_the_same_response_until_timer_j() -> None:
    machine = tx.ServerOther(request("BYE"), T, reliable=False)

    assert machine.repeated(0.0) == []
    machine.respond(response(200, "BYE"), 0.1)
    assert machine.repeated(0.6) == [tx.Send(response(200, "BYE"))]
    assert machine.due == 32.1
    machine.tick(32.1)
    assert machine.state == "over"


# Two sides and a network that loses


class Exchange:
    """A client and a server machine; each message is kept or lost as `fates` says, in order."""

    def __init__(self, method: str, code: int, fates: list[bool]) -> None:
        self.now = 0.0
        self.heard: list[int] = []
        self.lost: list[str] = []
        self.acks = 0
        self._code, self._method, self._fates = code, method, list(fates)
        invite = method == "INVITE"
        self.client: tx.Client = (tx.ClientInvite if invite else tx.ClientOther)(request(method), T, False)
        self.server: tx.Server | None = None
        self._send("client", self.client.start(0.0))

    def run(self, seconds: float = 200.0) -> None:
        """Let time pass until nothing is due any more."""
        while self.now < seconds:
            sides: list[tuple[str, tx.Client | tx.Server | None]] = [("client", self.client), ("server", self.server)]
            dues = [machine.due for _, machine in sides if machine is not None and machine.due is not None]
            if not dues:
                return
            self.now = max(self.now, min(dues))
            for side, machine in sides:
                if machine is not None and machine.due is not None and machine.due <= self.now:
                    self._send(side, machine.tick(self.now))

    def _send(self, side: str, outs: list[tx.Out]) -> None:
        for out in outs:
            if isinstance(out, tx.Lost):
                self.lost.append(side)
            elif isinstance(out, tx.Heard):
                self._told(out.response)
            elif self._fates.pop(0) if self._fates else True:
                self._arrive(out.message)

    def _told(self, found: Response) -> None:
        self.heard.append(found.code)
        if self._method == "INVITE" and found.code < 300:
            self._send("client", [tx.Send(tx.ack_of(request(), found))])  # the dialog's business

    def _arrive(self, message: Request | Response) -> None:
        if isinstance(message, Response):
            self._send("client", self.client.receive(message, self.now))
        elif message.method == "ACK":
            if isinstance(self.server, tx.ServerInvite):
                self.acks += self.server.acked(self.now)
        elif self.server is None:
            made = tx.ServerInvite if self._method == "INVITE" else tx.ServerOther
            self.server = made(message, T, False)
            self._send("server", self.server.respond(response(self._code, self._method), self.now))
        else:
            self._send("server", self.server.repeated(self.now))


FATES = st.lists(st.booleans(), max_size=12)


@given(st.sampled_from(["INVITE", "BYE"]), st.sampled_from([200, 302, 486, 503]), FATES)
def test_whatever_is_lost_both_sides_come_to_the_same_end(method: str, code: int, fates: list[bool]) -> None:
    exchange = Exchange(method, code, fates)
    exchange.run()

    assert exchange.client.state == "over"
    assert exchange.server is None or exchange.server.state == "over"
    assert set(exchange.heard) <= {code}
    if method == "BYE" or code >= 300:
        assert len(exchange.heard) <= 1
    # with twelve losses at most something gets through before 32 seconds are over, unless each try was lost
    assert exchange.heard or "client" in exchange.lost
    if method == "INVITE" and exchange.heard and "server" not in exchange.lost:
        assert exchange.acks == 1


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("response"), st.sampled_from([100, 180, 200, 302, 407, 486, 503, 603])),
        st.tuples(st.just("tick"), st.integers(0, 40)),
    ),
    max_size=20,
)


@given(st.sampled_from([tx.ClientInvite, tx.ClientOther]), st.booleans(), EVENTS)
def test_any_order_of_events_gives_one_final_response_at_most(
    kind: Callable[..., tx.Client], reliable: bool, events: list[tuple[str, int]]
) -> None:
    method = "INVITE" if kind is tx.ClientInvite else "BYE"
    machine, now, finals, lost = kind(request(method), T, reliable), 0.0, [], 0
    outs = machine.start(now)
    for what, value in events:
        if what == "tick":
            now += value
            outs = machine.tick(now)
        else:
            outs = machine.receive(response(value, method), now)
        finals += [out.response.code for out in outs if isinstance(out, tx.Heard) and out.response.code >= 200]
        lost += sum(isinstance(out, tx.Lost) for out in outs)
        if machine.state == "over":
            assert machine.due is None

    assert lost <= 1
    assert not (finals and lost)
    assert len(finals) <= 1 or (method == "INVITE" and set(finals) == {200})
