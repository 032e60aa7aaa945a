"""Calls as both sides hold them: what is sent for what happened, and what holds whatever is lost between them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.sip import layer as ly
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.dialog import response_to, seen_from
from heliograph.wire.sip.digest import Credentials, proof_of
from heliograph.wire.sip.incoming import IncomingCall
from heliograph.wire.sip.layer import Layer, Target, reply_to
from heliograph.wire.sip.message import Header, Message, Request, Response, decode, encode
from heliograph.wire.sip.outgoing import CANCEL_SECONDS, OutgoingCall, Plan

PLAN = Plan("sip:bob@b.example", "sip:alice@a.example", "sip:alice@192.0.2.1:5060", b"offer")
HOP = "SIP/2.0/UDP 192.0.2.1:5060;rport"
A, B = Target("udp", "192.0.2.1", 5060), Target("udp", "192.0.2.2", 5060)
CONTACT = ("Contact", "<sip:bob@192.0.2.2:5080>")


def tokens() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"t{next(numbers)}"


def outgoing(credentials: Credentials | None = None) -> tuple[OutgoingCall, Request]:
    call = OutgoingCall(PLAN, HOP, credentials, tokens())
    [ask] = call.begin()
    assert isinstance(ask, ss.Ask)
    return call, ask.request


def asked(outs: list[ss.Out], method: str) -> Request:
    [found] = [out.request for out in outs if isinstance(out, ss.Ask | ss.Tell) and out.request.method == method]
    return found


def facts(outs: list[ss.Out]) -> list[ss.Fact]:
    return [out for out in outs if not isinstance(out, ss.Ask | ss.Tell | ss.Reply)]


def reply(outs: list[ss.Out]) -> Response:
    [found] = [out.response for out in outs if isinstance(out, ss.Reply)]
    return found


def up(*more: Header, credentials: Credentials | None = None) -> tuple[OutgoingCall, Request]:
    """A call that is answered."""
    call, invite = outgoing(credentials)
    call.response(invite, response_to(invite, 200, "OK", "b", (CONTACT, *more), b"answer"), 1.0)
    return call, invite


def request(
    call: OutgoingCall, method: str, number: int = 1, more: tuple[Header, ...] = (), body: bytes = b""
) -> Request:
    """One of the other side."""
    headers = (
        ("Via", "SIP/2.0/UDP 192.0.2.2:5080;branch=z9hG4bKx"), ("From", "<sip:bob@b.example>;tag=b"),
        ("To", f"<sip:alice@a.example>;tag={call.tag}"), ("Call-ID", call.call_id), ("CSeq", f"{number} {method}"),
    )  # fmt: skip
    return Request(method, "sip:alice@192.0.2.1:5060", (*headers, *more), body)


KEY = ("server",)


# The caller


def test_a_call_begins_with_all_that_an_invite_must_have() -> None:
    call, invite = outgoing()

    assert (invite.method, invite.uri, invite.body) == ("INVITE", "sip:bob@b.example", b"offer")
    assert invite.first("To") == "<sip:bob@b.example>"
    assert invite.first("From") == f"<sip:alice@a.example>;tag={call.tag}"
    assert (invite.first("Max-Forwards"), invite.first("CSeq")) == ("70", "1 INVITE")
    assert invite.first("Contact") == "<sip:alice@192.0.2.1:5060>"
    assert invite.first("Via").startswith(f"{HOP};branch=z9hG4bK")


def test_an_answer_is_acknowledged_to_its_contact_by_its_routes() -> None:
    call, invite = outgoing()
    routes = (("Record-Route", "<sip:p2;lr>"), ("Record-Route", "<sip:p1;lr>"))
    outs = call.response(invite, response_to(invite, 200, "OK", "b", (CONTACT, *routes), b"answer"), 1.0)
    ack = asked(outs, "ACK")

    assert facts(outs) == [ss.Up(b"answer")]
    assert (ack.uri, ack.all("Route")) == ("sip:bob@192.0.2.2:5080", ["<sip:p1;lr>", "<sip:p2;lr>"])
    assert (ack.first("CSeq"), ack.first("To")) == ("1 ACK", "<sip:bob@b.example>;tag=b")
    assert ack.first("Via") != invite.first("Via")
    assert outs[0] == ss.Tell(ack, "sip:p1;lr")


def test_a_strict_router_gets_the_uri_and_the_target_goes_to_the_end() -> None:
    call, _ = up(("Record-Route", "<sip:p1>"))
    bye = asked(call.hang_up(2.0), "BYE")

    assert (bye.uri, bye.all("Route")) == ("sip:p1", ["<sip:bob@192.0.2.2:5080>"])


def test_a_repeated_answer_gets_the_same_ack() -> None:
    call, invite = outgoing()
    ok = response_to(invite, 200, "OK", "b", (CONTACT,), b"answer")
    first = asked(call.response(invite, ok, 1.0), "ACK")

    assert call.response(invite, ok, 1.5) == [ss.Tell(first, "sip:bob@192.0.2.2:5080")]


def test_another_who_answers_too_is_acknowledged_and_let_go() -> None:
    call, invite = up()
    outs = call.response(invite, response_to(invite, 200, "OK", "c", (("Contact", "<sip:c@192.0.2.3>"),)), 1.5)

    assert asked(outs, "ACK").uri == asked(outs, "BYE").uri == "sip:c@192.0.2.3"
    assert facts(outs) == []
    assert asked(call.hang_up(2.0), "BYE").uri == "sip:bob@192.0.2.2:5080"


@pytest.mark.parametrize("code", [404, 486, 503, 603])
def test_a_refusal_ends_it_with_its_words(code: int) -> None:
    call, invite = outgoing()
    more = (("Reason", "Q.850;cause=17"), ("Retry-After", "5 (soon)"))

    assert call.response(invite, response_to(invite, code, "Why", "b", more), 1.0) == [
        ss.Over(ss.Ending("far", code, "Why", 17, (), 5))
    ]


def test_a_redirect_ends_it_with_where_to_go() -> None:
    call, invite = outgoing()
    more = (("Contact", "<sip:c@x>;q=1"), ("Contact", "<mailto:a"), ("Contact", "sip:d@y"))
    [over] = facts(call.response(invite, response_to(invite, 302, "Moved", "b", more), 1.0))

    assert isinstance(over, ss.Over)
    assert over.ending.contacts == ("sip:c@x", "sip:d@y")


def test_silence_ends_it_as_the_trunk_s() -> None:
    call, invite = outgoing()

    assert call.silence(invite, "no answer", 32.0) == [ss.Over(ss.Ending("trunk", 0, "no answer"))]


# Giving up


def test_a_cancel_waits_for_a_provisional_response() -> None:
    call, invite = outgoing()

    assert call.cancel(1.0) == []
    assert asked(call.response(invite, response_to(invite, 100, "Trying"), 1.5), "CANCEL")
    assert call.cancel(2.0) == []


def test_a_cancelled_call_ends_with_487() -> None:
    call, invite = outgoing()
    call.response(invite, response_to(invite, 180, "Ringing", "b"), 0.5)
    cancel = asked(call.cancel(1.0), "CANCEL")

    assert call.response(cancel, response_to(cancel, 200, "OK", "b"), 1.1) == []
    assert call.response(invite, response_to(invite, 487, "Request Terminated", "b"), 1.2) == [
        ss.Over(ss.Ending("us", 487, "Request Terminated"))
    ]


def test_a_cancelled_call_that_nobody_ends_is_given_up() -> None:
    call, invite = outgoing()
    call.response(invite, response_to(invite, 180, "Ringing", "b"), 0.5)
    call.cancel(1.0)

    assert call.due == 1.0 + CANCEL_SECONDS
    [over] = call.tick(1.0 + CANCEL_SECONDS)
    assert isinstance(over, ss.Over)
    assert (over.ending.by, over.ending.code) == ("us", 487)


def test_an_answer_that_is_faster_than_the_cancel_is_acknowledged_and_hung_up() -> None:
    call, invite = outgoing()
    call.response(invite, response_to(invite, 180, "Ringing", "b"), 0.5)
    call.cancel(1.0)
    outs = call.response(invite, response_to(invite, 200, "OK", "b", (CONTACT,)), 1.1)
    bye = asked(outs, "BYE")

    assert asked(outs, "ACK")
    assert facts(outs) == []
    assert call.response(bye, response_to(bye, 200, "OK", "b"), 1.2) == [ss.Over(ss.Ending("us"))]


# Proving who we are


def challenge(invite: Request, code: int = 401, nonce: str = "n", more: str = "") -> Response:
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    value = f'Digest realm="r", nonce="{nonce}", qop="auth"{more}'
    return response_to(invite, code, "Prove it", "b", ((name, value),))


@pytest.mark.parametrize(("code", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_a_challenge_is_answered_in_a_transaction_of_its_own(code: int, header: str) -> None:
    call, invite = outgoing(Credentials("u", "secret"))
    again = asked(call.response(invite, challenge(invite, code), 1.0), "INVITE")
    proof = proof_of(again.headers, header, "r")

    assert proof is not None
    assert proof.holds("secret", "INVITE")
    assert (again.first("CSeq"), again.first("Call-ID")) == ("2 INVITE", invite.first("Call-ID"))
    assert again.first("Via") != invite.first("Via")


def test_a_second_challenge_means_that_we_are_refused() -> None:
    call, invite = outgoing(Credentials("u", "wrong"))
    again = asked(call.response(invite, challenge(invite), 1.0), "INVITE")
    [over] = call.response(again, challenge(again, nonce="m"), 2.0)

    assert isinstance(over, ss.Over)
    assert over.ending.code == 401


def test_a_stale_nonce_is_no_refusal() -> None:
    call, invite = outgoing(Credentials("u", "secret"))
    again = asked(call.response(invite, challenge(invite), 1.0), "INVITE")
    third = asked(call.response(again, challenge(again, nonce="m", more=", stale=true"), 2.0), "INVITE")

    assert 'nonce="m"' in third.first("Authorization")


def test_without_credentials_a_challenge_is_the_end() -> None:
    call, invite = outgoing()

    assert facts(call.response(invite, challenge(invite), 1.0))


def test_a_late_response_to_the_invite_before_the_challenge_is_nothing() -> None:
    call, invite = outgoing(Credentials("u", "secret"))
    call.response(invite, challenge(invite), 1.0)

    assert call.response(invite, response_to(invite, 486, "Busy", "b"), 1.1) == []


def test_the_ack_of_an_answer_has_the_proof_of_its_invite() -> None:
    call, invite = outgoing(Credentials("u", "secret"))
    again = asked(call.response(invite, challenge(invite), 1.0), "INVITE")
    ack = asked(call.response(again, response_to(again, 200, "OK", "b", (CONTACT,)), 2.0), "ACK")

    assert ack.first("Authorization") == again.first("Authorization")
    assert ack.first("CSeq") == "2 ACK"


def test_a_challenge_to_a_bye_is_answered_too_and_counts_the_nonce() -> None:
    call, invite = outgoing(Credentials("u", "secret"))
    again = asked(call.response(invite, challenge(invite), 1.0), "INVITE")
    call.response(again, response_to(again, 200, "OK", "b", (CONTACT,)), 2.0)
    bye = asked(call.hang_up(3.0), "BYE")
    proved = asked(call.response(bye, challenge(bye), 3.1), "BYE")

    assert "nc=00000002" in proved.first("Authorization")
    assert proved.cseq.number == bye.cseq.number + 1


def test_a_session_interval_that_is_too_small_is_asked_for_once_more() -> None:
    call, invite = outgoing()
    small = response_to(invite, 422, "Session Interval Too Small", "b", (("Min-SE", "1800"),))
    again = asked(call.response(invite, small, 1.0), "INVITE")

    assert again.first("Min-SE") == "1800"
    assert facts(call.response(again, small, 2.0))


# Once it stands


def test_a_bye_of_the_other_side_is_answered_and_ends_it() -> None:
    call, _ = up()
    outs = call.request(KEY, request(call, "BYE", more=(("Reason", "Q.850;cause=16"),)), 2.0)

    assert reply(outs).code == 200
    [over] = facts(outs)
    assert isinstance(over, ss.Over)
    assert (over.ending.by, over.ending.cause) == ("far", 16)
    assert reply(call.request(KEY, request(call, "BYE", 2), 3.0)).code == 481


def test_our_bye_counts_on_from_the_invite() -> None:
    call, _ = up()
    bye = asked(call.hang_up(2.0), "BYE")

    assert bye.first("CSeq") == "2 BYE"
    assert call.hang_up(2.1) == []
    assert call.silence(bye, "no answer", 34.0) == [ss.Over(ss.Ending("us", reason="no answer"))]


def test_a_change_of_the_session_is_offered_and_taken() -> None:
    call, _ = up()
    change = request(call, "INVITE", body=b"new")
    [offered] = call.request(KEY, change, 2.0)

    assert offered == ss.Offered(KEY, change)
    ok = reply(call.accept(KEY, change, b"mine"))
    assert (ok.code, ok.body, ok.first("Contact")) == (200, b"mine", "<sip:alice@192.0.2.1:5060>")
    assert reply(call.decline(KEY, change)).code == 488


def test_an_answer_in_the_ack_is_told() -> None:
    call, _ = up()
    change = request(call, "INVITE")
    call.request(KEY, change, 2.0)
    call.accept(KEY, change, b"mine")

    assert call.request(None, request(call, "ACK", body=b"theirs"), 2.1) == [ss.Described(b"theirs")]
    assert call.request(None, request(call, "ACK", body=b"theirs"), 2.2) == []


def test_a_request_that_moves_the_target_is_followed() -> None:
    call, _ = up()
    call.request(KEY, request(call, "INVITE", more=(("Contact", "<sip:bob@192.0.2.9>"),), body=b"x"), 2.0)

    assert asked(call.hang_up(3.0), "BYE").uri == "sip:bob@192.0.2.9"


def test_an_old_request_is_refused() -> None:
    call, _ = up()
    call.request(KEY, request(call, "OPTIONS", 5), 2.0)

    assert reply(call.request(KEY, request(call, "OPTIONS", 4), 2.1)).code == 500


ANSWERS = [
    (("OPTIONS", (), b""), 200, []),
    (("INFO", (("Content-Type", "application/dtmf-relay"),), b"Signal= 5\r\nDuration=160"), 200, [ss.Pressed("5")]),
    (("INFO", (("Content-Type", "text/plain"),), b"Signal=5"), 200, []),
    (("UPDATE", (), b""), 200, []),
    (("NOTIFY", (("Event", "refer"),), b"SIP/2.0 200 OK\r\n"), 200, [ss.Transferred(200, "OK")]),
    (("NOTIFY", (("Event", "refer"),), b"SIP/2.0 100 Trying\r\n"), 200, []),
    (("NOTIFY", (("Event", "presence"),), b"SIP/2.0 200 OK\r\n"), 200, []),
    (("REFER", (("Refer-To", "<sip:carol@c>"),), b""), 202, [ss.Wanted("sip:carol@c")]),
    (("REFER", (), b""), 400, []),
    (("SUBSCRIBE", (), b""), 405, []),
    (("MESSAGE", (), b"x"), 405, []),
]


@pytest.mark.parametrize(("asks", "code", "told"), ANSWERS, ids=[f"{asks[0]}-{code}" for asks, code, _ in ANSWERS])
def test_requests_of_the_other_side_are_answered(
    asks: tuple[str, tuple[Header, ...], bytes], code: int, told: list[ss.Fact]
) -> None:
    call, _ = up()
    method, more, body = asks
    outs = call.request(KEY, request(call, method, more=more, body=body), 2.0)

    assert reply(outs).code == code
    assert facts(outs) == told


def test_a_transfer_is_asked_for_and_its_refusal_told() -> None:
    call, _ = up()
    refer = asked(call.refer("sip:carol@c"), "REFER")

    assert refer.first("Refer-To") == "<sip:carol@c>"
    assert call.response(refer, response_to(refer, 603, "Decline", "b"), 2.0) == [ss.Transferred(603, "Decline")]
    assert call.silence(refer, "no answer", 3.0) == [ss.Transferred(408, "no answer")]


def test_a_dialog_that_the_other_side_does_not_know_is_over() -> None:
    call, _ = up()
    refer = asked(call.refer("sip:carol@c"), "REFER")
    call.response(refer, response_to(refer, 202, "Accepted", "b"), 2.0)
    probe = asked(call.options(), "OPTIONS")
    [over] = call.response(probe, response_to(probe, 481, "Gone", "b"), 3.0)

    assert isinstance(over, ss.Over)


# The layer between


def test_a_request_is_told_once_and_its_repetition_gets_the_response_again() -> None:
    layer, call = Layer(), up()[0]
    options = request(call, "OPTIONS")
    [asked_] = layer.receive(options, B, 0.0)
    assert isinstance(asked_, ly.Asked)
    assert asked_.key is not None
    answer = response_to(options, 200, "OK")
    target = Target("udp", "192.0.2.2", 5080)  # 18.2.2: to the port of its Via

    assert layer.receive(options, B, 0.1) == []
    assert layer.respond(asked_.key, answer, 0.2) == [ly.Put(answer, target)]
    assert layer.receive(options, B, 0.3) == [ly.Put(answer, target)]


@pytest.mark.parametrize(
    ("via", "source", "target"),
    [
        ("SIP/2.0/UDP h;branch=z9hG4bKa", Target("udp", "192.0.2.7", 999), Target("udp", "192.0.2.7", 5060)),
        ("SIP/2.0/UDP h:70;branch=z9hG4bKa", Target("udp", "192.0.2.7", 999), Target("udp", "192.0.2.7", 70)),
        ("SIP/2.0/UDP h:70;rport;branch=z9hG4bKa", Target("udp", "192.0.2.7", 999), Target("udp", "192.0.2.7", 999)),
        ("SIP/2.0/TCP h:70;branch=z9hG4bKa", Target("tcp", "192.0.2.7", 999), Target("tcp", "192.0.2.7", 999)),
    ],
)
def test_responses_go_where_their_request_wants_them(via: str, source: Target, target: Target) -> None:
    invite = Request("INVITE", "sip:a@b", (("Via", via),))

    assert reply_to(invite, source) == target


def test_a_request_is_marked_with_where_it_came_from() -> None:
    marked = seen_from(
        Request("INVITE", "sip:a@b", (("Via", "SIP/2.0/UDP h:70;rport;branch=z9hG4bKa"),)), "192.0.2.7", 9
    )

    assert marked.first("Via") == "SIP/2.0/UDP h:70;rport=9;branch=z9hG4bKa;received=192.0.2.7"


def test_a_target_that_cannot_be_reached_ends_what_waits_for_it() -> None:
    layer, (_, invite) = Layer(), outgoing()
    layer.ask(invite, B, "owner", 0.0)

    assert layer.unreachable(A, "closed") == []
    assert layer.unreachable(B, "closed") == [ly.Silence("owner", invite, "closed")]
    assert layer.due() is None


def test_far_ends_of_the_old_kind_are_told_apart_without_a_branch() -> None:
    layer, call = Layer(), up()[0]
    old = request(call, "OPTIONS", 3)
    old = old._replace(headers=(("Via", "SIP/2.0/UDP 192.0.2.2"), *old.headers[1:]))
    newer = old._replace(headers=tuple((n, "4 OPTIONS" if n == "CSeq" else v) for n, v in old.headers))

    assert len(layer.receive(old, B, 0.0)) == 1
    assert layer.receive(old, B, 0.1) == []
    assert len(layer.receive(newer, B, 0.2)) == 1


# Both sides over a network that loses


class World:
    """A caller and a callee, each with its layer; messages travel as bytes and are kept or lost as `fates` says."""

    def __init__(self, fates: list[bool], behave: Callable[[World, IncomingCall], None]) -> None:
        self.now = 0.0
        self.fates = list(fates)
        self.layers = {A: Layer(), B: Layer()}
        self.caller = OutgoingCall(PLAN, HOP, None, tokens())
        self.callee: IncomingCall | None = None
        self.told: dict[str, list[ss.Fact]] = {"caller": [], "callee": []}
        self.wishes: list[tuple[float, Callable[[], None]]] = []
        self._behave = behave
        self._tokens = itertools.count(1)
        self.carry(A, self.caller.begin())

    def later(self, seconds: float, wish: Callable[[], None]) -> None:
        """Do something later."""
        self.wishes.append((self.now + seconds, wish))

    def run(self, seconds: float = 400.0) -> None:
        """Until nothing is due."""
        while self.now < seconds:
            dues = [layer.due() for layer in self.layers.values()] + [at for at, _ in self.wishes] + [self.caller.due]
            known = [due for due in dues if due is not None]
            if not known:
                return
            self.now = max(self.now, min(known))
            due = [wish for wish in self.wishes if wish[0] <= self.now]
            self.wishes = [wish for wish in self.wishes if wish[0] > self.now]
            for _, wish in due:
                wish()
            for side, layer in self.layers.items():
                self._run(side, layer.tick(self.now))
            if self.caller.due is not None and self.caller.due <= self.now:
                self.carry(A, self.caller.tick(self.now))

    def carry(self, side: Target, outs: list[ss.Out]) -> None:
        """What a call gave."""
        layer, other = self.layers[side], B if side == A else A
        for out in outs:
            match out:
                case ss.Ask(found, _):
                    self._run(side, layer.ask(found, other, side, self.now))
                case ss.Tell(found, _):
                    self._put(found, other)
                case ss.Reply(key, answer):
                    self._run(side, layer.respond(key, answer, self.now))
                case fact:
                    self.told["caller" if side == A else "callee"].append(fact)

    def _run(self, side: Target, outs: list[ly.Out]) -> None:
        for out in outs:
            match out:
                case ly.Put(message, _):
                    self._put(message, B if side == A else A)
                case ly.Answer(_, found, answer) if side == A:
                    self.carry(A, self.caller.response(found, answer, self.now))
                case ly.Answer(_, found, answer):
                    self.carry(B, self._there.answered(found, answer, self.now))
                case ly.Silence(_, found, why) if side == A:
                    self.carry(A, self.caller.silence(found, why, self.now))
                case ly.Silence(_, found, why):
                    self.carry(B, self._there.unanswered(found, why, self.now))
                case ly.Unacked():
                    self.carry(B, self._there.silence("no answer"))
                case ly.Asked(key, found, _):
                    self._asked(side, key, found)

    @property
    def _there(self) -> IncomingCall:
        assert self.callee is not None
        return self.callee

    def _asked(self, side: Target, key: ly.Key | None, found: Request) -> None:
        if side == A:
            self.carry(A, self.caller.request(key, found, self.now))
        elif found.method == "INVITE" and self.callee is None:
            assert key is not None
            token = lambda: f"b{next(self._tokens)}"  # noqa: E731
            self.callee = IncomingCall(key, found, "sip:bob@192.0.2.2:5060", HOP.replace("2.1", "2.2"), token)
            self._behave(self, self.callee)
        elif found.method == "CANCEL":
            assert key is not None
            self._run(B, self.layers[B].respond(key, response_to(found, 200, "OK"), self.now))
            self.carry(B, self._there.cancelled())
        else:
            self.carry(B, self._there.request(key, found, self.now))

    def _put(self, message: Message, to: Target) -> None:
        if self.fates.pop(0) if self.fates else True:
            source = A if to == B else B
            self._run(to, self.layers[to].receive(decode(encode(message)), source, self.now))

    def ends(self, who: str) -> list[ss.Ending]:
        """How it ended for one side."""
        return [fact.ending for fact in self.told[who] if isinstance(fact, ss.Over)]


def answers(world: World, call: IncomingCall) -> None:
    """Rings, answers; the caller hangs up later."""
    world.carry(B, call.ring())
    world.later(1.0, lambda: world.carry(B, call.pick_up(b"answer")))
    world.later(60.0, lambda: world.carry(A, world.caller.hang_up(world.now)))


def hangs_up(world: World, call: IncomingCall) -> None:
    """Rings, answers, and the callee hangs up later."""
    world.carry(B, call.ring())
    world.later(1.0, lambda: world.carry(B, call.pick_up(b"answer")))
    world.later(60.0, lambda: world.carry(B, call.hang_up(world.now)))
    world.later(200.0, lambda: world.carry(A, world.caller.hang_up(world.now)))


def refuses(world: World, call: IncomingCall) -> None:
    """Busy."""
    world.later(0.7, lambda: world.carry(B, call.refuse(486, "Busy Here")))


def rings(world: World, call: IncomingCall) -> None:
    """Rings until the caller gives up; of a caller who never learned that it rings, until it has rung for long."""
    world.carry(B, call.ring())
    world.later(20.0, lambda: world.carry(A, world.caller.cancel(world.now)))
    world.later(120.0, lambda: world.carry(B, call.refuse(480, "Temporarily Unavailable")))


FATES = st.lists(st.booleans(), max_size=14)


@given(FATES, st.sampled_from([answers, hangs_up, refuses, rings]))
def test_whatever_is_lost_each_side_ends_once_and_nothing_is_left(
    fates: list[bool], behave: Callable[[World, IncomingCall], None]
) -> None:
    world = World(fates, behave)
    world.run()

    assert len(world.ends("caller")) == 1
    assert world.callee is None or len(world.ends("callee")) == 1
    assert [len(layer) for layer in world.layers.values()] == [0, 0]
    ups = [fact for fact in world.told["caller"] if isinstance(fact, ss.Up)]
    assert len(ups) <= 1
    if sum(not kept for kept in fates) == 0:
        expected = {answers: "us", hangs_up: "far", refuses: "far", rings: "us"}[behave]
        assert world.ends("caller")[0].by == expected


@given(FATES)
def test_busy_is_heard_unless_every_try_was_lost(fates: list[bool]) -> None:
    world = World(fates[:5], refuses)  # a try and its answer, five times: fewer losses than tries
    world.run()

    assert world.ends("caller")[0].code == 486
