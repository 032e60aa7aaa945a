"""The session's rules: who may send what and when, what time does, and that no request is forgotten."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.codec import HEADER, LocalProtocolError, Pdu, Reader, SubmitTemplate, encode
from heliograph.wire.smpp.pdus import (
    Bind,
    BindResp,
    Body,
    DataSm,
    MessageResp,
    QuerySm,
    QuerySmResp,
    ShortMessage,
)
from heliograph.wire.smpp.session import AFTER, ALLOWED, DEFAULTS, Role, Session, Settings, State

MESSAGE = ShortMessage(source_addr="1", destination_addr="2", short_message=b"hi")
RESP = c.RESPONSE
BOUND = {
    State.BOUND_TX: c.BIND_TRANSMITTER,
    State.BOUND_RX: c.BIND_RECEIVER,
    State.BOUND_TRX: c.BIND_TRANSCEIVER,
}


def sent(session: Session) -> list[Pdu]:
    return list(Reader().feed(session.data_to_send()))


def heard(
    session: Session, command_id: int, sequence: int, body: Body | None = None, status: int = 0
) -> list[ev.Event]:
    return session.receive_data(encode(command_id, sequence, body, status), 1.0)


def esme(state: State = State.BOUND_TRX, settings: Settings = DEFAULTS) -> Session:
    session = Session(Role.ESME, 0.0, settings)
    if state is not State.OPEN:
        command_id = BOUND.get(state, c.BIND_TRANSCEIVER)
        sequence = session.bind(command_id, Bind("us", "secret"), 0.0)
        session.receive_data(encode(command_id | RESP, sequence, BindResp("smsc")), 0.0)
    if state in (State.UNBOUND, State.CLOSED):
        session.unbind(0.0)
    if state is State.CLOSED:
        session.lost("test")
    session.data_to_send()
    assert session.state is state
    return session


def smsc(state: State = State.BOUND_TRX, settings: Settings = DEFAULTS) -> Session:
    session = Session(Role.SMSC, 0.0, settings)
    if state is not State.OPEN:
        command_id = BOUND.get(state, c.BIND_TRANSCEIVER)
        (arrived,) = session.receive_data(encode(command_id, 1, Bind("them", "secret")), 0.0)
        assert isinstance(arrived, ev.BindArrived)
        session.answer_bind(arrived, c.ESME_ROK, "smsc")
    if state in (State.UNBOUND, State.CLOSED):
        session.unbind(0.0)
    if state is State.CLOSED:
        session.lost("test")
    session.data_to_send()
    assert session.state is state
    return session


MAKE: dict[Role, Callable[[State], Session]] = {Role.ESME: esme, Role.SMSC: smsc}
PEER = {Role.ESME: Role.SMSC, Role.SMSC: Role.ESME}
BODY: dict[int, Body] = {c.SUBMIT_SM: MESSAGE, c.DELIVER_SM: MESSAGE}
REQUESTS = sorted({command_id for _, command_id in ALLOWED})

every_role = pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
every_state = pytest.mark.parametrize("state", State, ids=lambda state: state.value)
every_request = pytest.mark.parametrize("command_id", REQUESTS, ids=lambda command_id: c.COMMANDS[command_id])


@every_role
@every_state
@every_request
def test_we_send_what_the_table_allows(role: Role, state: State, command_id: int) -> None:
    session = MAKE[role](state)
    if state in ALLOWED.get((role, command_id), ()):
        session.request(command_id, BODY.get(command_id), 0.0)
        assert sent(session)[0].command_id == command_id
    else:
        with pytest.raises(LocalProtocolError):
            session.request(command_id, BODY.get(command_id), 0.0)
        assert not session.has_output


def table_body(command_id: int) -> Body | None:
    if command_id in c.BINDS:
        return Bind("them", "secret")
    kinds: dict[int, Body] = {c.DATA_SM: DataSm(), c.QUERY_SM: QuerySm("9"), **BODY}
    return kinds.get(command_id)


@every_role
@every_state
@every_request
def test_we_refuse_what_the_table_forbids(role: Role, state: State, command_id: int) -> None:
    session = MAKE[role](state)
    frame = encode(command_id, 7, table_body(command_id))
    if command_id in (c.CANCEL_SM, c.REPLACE_SM, c.ALERT_NOTIFICATION, c.OUTBIND):
        frame = HEADER.pack(16 + 40, command_id, 0, 7) + bytes(40)
    events = session.receive_data(frame, 1.0)
    states = ALLOWED.get((PEER[role], command_id), frozenset())
    allowed = state in states or (state is State.UNBOUND and states & set(BOUND))
    refused = [event for event in events if isinstance(event, ev.Odd)]
    assert bool(refused) == (not allowed and state is not State.CLOSED)
    if refused and command_id not in (c.OUTBIND, c.ALERT_NOTIFICATION):
        (answer,) = sent(session)
        assert (answer.command_id, answer.sequence) == (command_id | RESP, 7)
        assert answer.status in (c.ESME_RINVBNDSTS, c.ESME_RALYBND)


@pytest.mark.parametrize("state", BOUND)
def test_a_bind_leads_to_its_state(state: State) -> None:
    assert AFTER[State.OPEN, BOUND[state] | RESP] is state
    assert esme(state).state is smsc(state).state is state


def test_bound_tells_who_answered() -> None:
    session = esme(State.OPEN)
    sequence = session.bind(c.BIND_TRANSCEIVER, Bind("us"), 0.0)
    body = BindResp("their name", {c.SC_INTERFACE_VERSION: b"\x34"})
    assert heard(session, c.BIND_TRANSCEIVER | RESP, sequence, body) == [
        ev.Bound(c.BIND_TRANSCEIVER, "their name", 0x34)
    ]


def test_a_refused_bind_leaves_the_session_open() -> None:
    session = esme(State.OPEN)
    sequence = session.bind(c.BIND_TRANSCEIVER, Bind("us"), 0.0)
    events = heard(session, c.BIND_TRANSCEIVER | RESP, sequence, status=c.ESME_RINVPASWD)
    assert (events, session.state) == ([ev.BindRefused(c.ESME_RINVPASWD)], State.OPEN)


def test_a_second_bind_is_already_bound() -> None:
    session = smsc()
    heard(session, c.BIND_RECEIVER, 2, Bind("them"))
    assert [(pdu.command_id, pdu.status) for pdu in sent(session)] == [(c.BIND_RECEIVER | RESP, c.ESME_RALYBND)]


@pytest.mark.parametrize(("version", "tlvs"), [(0x34, {c.SC_INTERFACE_VERSION: b"\x34"}), (0x33, {})])
def test_an_old_peer_gets_no_tlv(version: int, tlvs: dict[int, bytes]) -> None:
    session = smsc(State.OPEN)
    (arrived,) = heard(session, c.BIND_RECEIVER, 1, Bind("them", interface_version=version))
    assert isinstance(arrived, ev.BindArrived)
    assert session.answer_bind(arrived, 0, "smsc") == [ev.Bound(c.BIND_RECEIVER, "them", version)]
    assert session.data_to_send() == encode(c.BIND_RECEIVER | RESP, 1, BindResp("smsc", tlvs))


def test_a_submit_is_answered_with_its_context() -> None:
    session = esme()
    sequence = session.submit(MESSAGE, 5.0, context="ours")
    (event,) = heard(session, c.SUBMIT_SM | RESP, sequence, MessageResp("id1"))
    frame = encode(c.SUBMIT_SM | RESP, sequence, MessageResp("id1"))
    assert event == ev.SubmitAnswered(sequence, 0, "id1", 5.0, "ours", False, frame)
    assert session.pending == 0


def test_a_refused_submit_has_a_status_and_no_id() -> None:
    session = esme()
    (event,) = heard(session, c.SUBMIT_SM | RESP, session.submit(MESSAGE, 0.0), status=c.ESME_RTHROTTLED)
    assert isinstance(event, ev.SubmitAnswered)
    assert (event.status, event.message_id) == (c.ESME_RTHROTTLED, "")


def test_a_template_is_a_submit_like_any_other() -> None:
    session = esme()
    sequence = session.submit_template(SubmitTemplate(MESSAGE), "2", 0.0, "ours")
    assert session.data_to_send() == encode(c.SUBMIT_SM, sequence, MESSAGE)
    (event,) = heard(session, c.SUBMIT_SM | RESP, sequence, MessageResp("id1"))
    assert isinstance(event, ev.SubmitAnswered)
    assert event.context == "ours"


def test_a_bad_destination_takes_no_room() -> None:
    session = esme()
    with pytest.raises(LocalProtocolError):
        session.submit_template(SubmitTemplate(MESSAGE), "no address", 0.0)
    assert session.room == DEFAULTS.window


def test_a_bad_message_takes_no_room() -> None:
    session = esme()
    with pytest.raises(LocalProtocolError):
        session.submit(ShortMessage(short_message=bytes(300)), 0.0)
    assert (session.room, session.has_output) == (DEFAULTS.window, False)


def test_a_full_window_takes_no_more() -> None:
    session = esme(settings=Settings(window=2))
    session.submit(MESSAGE, 0.0)
    session.submit(MESSAGE, 0.0)
    assert session.room == 0
    with pytest.raises(LocalProtocolError):
        session.submit(MESSAGE, 0.0)


def test_enquire_link_passes_a_full_window() -> None:
    session = esme(settings=Settings(window=1))
    session.submit(MESSAGE, 0.0)
    session.data_to_send()
    session.tick(DEFAULTS.enquire_after)
    assert [pdu.command_id for pdu in sent(session)] == [c.ENQUIRE_LINK]


def test_sequence_numbers_begin_again_after_the_last() -> None:
    session = esme()
    session._sequence = 0x7FFFFFFE
    assert [session.submit(MESSAGE, 0.0) for _ in range(3)] == [0x7FFFFFFF, 1, 2]


def test_an_answer_to_nothing_is_reported_and_left() -> None:
    session = esme()
    (event,) = heard(session, c.SUBMIT_SM | RESP, 999, MessageResp("x"))
    assert isinstance(event, ev.Odd)
    assert not session.has_output


def test_an_answer_of_another_kind_does_not_settle_a_submit() -> None:
    session = esme()
    (event,) = heard(session, c.DATA_SM | RESP, session.submit(MESSAGE, 0.0), MessageResp("x"))
    assert isinstance(event, ev.Odd)
    assert session.pending == 1


def test_an_unknown_command_is_nacked() -> None:
    session = esme()
    (event,) = heard(session, 0x00000777, 7)
    assert isinstance(event, ev.Odd)
    assert session.data_to_send() == encode(c.GENERIC_NACK, 7, status=c.ESME_RINVCMDID)


def test_an_unknown_answer_is_not_nacked() -> None:
    session = esme()
    heard(session, 0x80000777, 7)
    assert not session.has_output


def test_a_broken_deliver_is_answered_with_its_status() -> None:
    session = esme()
    heard(session, c.DELIVER_SM, 7)
    assert session.data_to_send() == encode(c.DELIVER_SM | RESP, 7, status=c.ESME_RINVCMDLEN)


def test_an_unreadable_stream_is_nacked_and_closed() -> None:
    session = esme()
    session.submit(MESSAGE, 0.0, "ours")
    session.data_to_send()
    good = encode(c.ENQUIRE_LINK, 3)
    (closed,) = session.receive_data(good + bytes(16), 1.0)
    assert isinstance(closed, ev.Closed)
    assert [one.context for one in closed.unanswered] == ["ours"]
    assert [pdu.command_id for pdu in sent(session)] == [c.ENQUIRE_LINK | RESP, c.GENERIC_NACK]


def test_a_nack_gives_the_request_back() -> None:
    session = esme()
    sequence = session.submit(MESSAGE, 5.0, "ours")
    (event,) = heard(session, c.GENERIC_NACK, sequence, status=2)
    assert isinstance(event, ev.Nacked)
    assert event.pending == ev.Pending(sequence, c.SUBMIT_SM, 5.0, "ours")
    assert session.room == DEFAULTS.window


def test_a_nack_of_nothing_is_told() -> None:
    (event,) = heard(esme(), c.GENERIC_NACK, 0, status=2)
    assert isinstance(event, ev.Nacked)
    assert event.pending is None


def test_a_deliver_waits_for_our_answer() -> None:
    session = esme()
    (event,) = heard(session, c.DELIVER_SM, 7, MESSAGE)
    assert event == ev.DeliverArrived(c.DELIVER_SM, 7, MESSAGE, encode(c.DELIVER_SM, 7, MESSAGE))
    assert not session.has_output
    assert session.answer(c.DELIVER_SM, 7)
    assert session.data_to_send() == encode(c.DELIVER_SM | RESP, 7, MessageResp())


def test_a_refusal_has_no_body() -> None:
    session = esme()
    heard(session, c.DELIVER_SM, 7, MESSAGE)
    session.answer(c.DELIVER_SM, 7, c.ESME_RX_T_APPN)
    assert session.data_to_send() == encode(c.DELIVER_SM | RESP, 7, status=c.ESME_RX_T_APPN)


def test_data_sm_arrives_as_a_deliver() -> None:
    session = esme()
    (event,) = heard(session, c.DATA_SM, 7, DataSm(source_addr="1", tlvs={c.MESSAGE_PAYLOAD: b"x"}))
    assert isinstance(event, ev.DeliverArrived)
    assert event.message.tlvs == {c.MESSAGE_PAYLOAD: b"x"}
    session.answer(event.command_id, event.sequence)
    assert [pdu.command_id for pdu in sent(session)] == [c.DATA_SM | RESP]


def test_a_submit_arrives_at_an_smsc() -> None:
    session = smsc()
    (event,) = heard(session, c.SUBMIT_SM, 7, MESSAGE)
    assert event == ev.SubmitArrived(c.SUBMIT_SM, 7, MESSAGE, encode(c.SUBMIT_SM, 7, MESSAGE))
    session.answer(event.command_id, event.sequence, message_id="id1")
    assert session.data_to_send() == encode(c.SUBMIT_SM | RESP, 7, MessageResp("id1"))


def test_a_deliver_is_answered_to_an_smsc() -> None:
    session = smsc()
    sequence = session.request(c.DELIVER_SM, MESSAGE, 0.0, "ours")
    (event,) = heard(session, c.DELIVER_SM | RESP, sequence, MessageResp())
    assert isinstance(event, ev.DeliverAnswered)
    assert (event.status, event.context) == (0, "ours")


def test_a_query_is_asked_and_answered() -> None:
    ours, theirs = esme(), smsc()
    ours.request(c.QUERY_SM, QuerySm("id1"), 0.0, "ours")
    (arrived,) = theirs.receive_data(ours.data_to_send(), 0.0)
    assert isinstance(arrived, ev.OtherArrived)
    theirs.answer_with(arrived.command_id, arrived.sequence, QuerySmResp("id1", message_state=2))
    (answered,) = ours.receive_data(theirs.data_to_send(), 0.0)
    assert isinstance(answered, ev.OtherAnswered)
    assert (answered.body, answered.context) == (QuerySmResp("id1", message_state=2), "ours")


def test_outbind_and_alert_leave_no_room_taken() -> None:
    session = smsc()
    session.request(c.ALERT_NOTIFICATION, None, 0.0)
    assert session.pending == 0


def test_enquire_link_is_answered_at_once() -> None:
    session = esme()
    assert heard(session, c.ENQUIRE_LINK, 9) == []
    assert session.data_to_send() == encode(c.ENQUIRE_LINK | RESP, 9)


def test_unbind_ends_in_a_clean_close() -> None:
    session = esme()
    session.unbind(0.0)
    (request,) = sent(session)
    assert heard(session, c.UNBIND | RESP, request.sequence) == [ev.Closed("unbound", True, ())]
    assert session.state is State.CLOSED


def test_answers_still_count_after_our_unbind() -> None:
    session = esme()
    sequence = session.submit(MESSAGE, 0.0)
    session.unbind(0.0)
    (event,) = heard(session, c.SUBMIT_SM | RESP, sequence, MessageResp("id1"))
    assert isinstance(event, ev.SubmitAnswered)


def test_a_deliver_that_crossed_our_unbind_still_arrives() -> None:
    (event,) = heard(esme(State.UNBOUND), c.DELIVER_SM, 7, MESSAGE)
    assert isinstance(event, ev.DeliverArrived)


def test_the_peers_unbind_is_answered_and_closes() -> None:
    session = esme()
    session.submit(MESSAGE, 0.0, "ours")
    session.data_to_send()
    unbound, closed = heard(session, c.UNBIND, 9)
    assert unbound == ev.PeerUnbound()
    assert isinstance(closed, ev.Closed)
    assert (closed.clean, [one.context for one in closed.unanswered]) == (True, ["ours"])
    assert session.data_to_send() == encode(c.UNBIND | RESP, 9)


def test_unbinds_that_cross_both_close() -> None:
    ours, theirs = esme(), smsc()
    ours.unbind(0.0)
    theirs.unbind(0.0)
    to_theirs, to_ours = ours.data_to_send(), theirs.data_to_send()
    theirs.receive_data(to_theirs, 0.0)
    ours.receive_data(to_ours, 0.0)
    assert ours.state is theirs.state is State.CLOSED


def test_nothing_is_heard_after_the_close() -> None:
    assert heard(esme(State.CLOSED), c.DELIVER_SM, 7, MESSAGE) == []


def test_an_answer_after_the_close_says_that_nobody_hears() -> None:
    session = esme(State.CLOSED)
    assert not session.answer(c.DELIVER_SM, 7)
    assert not session.has_output


def test_a_lost_link_gives_back_what_was_not_answered() -> None:
    session = esme()
    session.submit(MESSAGE, 0.0, "first")
    session.submit(MESSAGE, 0.0, "second")
    (closed,) = session.lost("gone")
    assert isinstance(closed, ev.Closed)
    assert (closed.reason, closed.clean, [one.context for one in closed.unanswered]) == (
        "gone",
        False,
        ["first", "second"],
    )
    assert session.lost("again") == []


def test_a_peer_may_hang_up_instead_of_answering_our_unbind() -> None:
    assert esme(State.UNBOUND).lost("hung up", by_peer=True) == [ev.Closed("hung up", True, ())]


def test_a_peer_that_hangs_up_unasked_is_not_clean() -> None:
    assert esme().lost("hung up", by_peer=True) == [ev.Closed("hung up", False, ())]


def test_a_silent_peer_is_asked_whether_it_lives() -> None:
    session = esme()
    session.tick(DEFAULTS.enquire_after - 0.1)
    assert not session.has_output
    session.tick(DEFAULTS.enquire_after)
    assert [pdu.command_id for pdu in sent(session)] == [c.ENQUIRE_LINK]


def test_it_is_asked_once() -> None:
    session = esme()
    session.tick(DEFAULTS.enquire_after)
    session.data_to_send()
    session.tick(DEFAULTS.enquire_after + 1)
    assert not session.has_output


def test_a_peer_that_does_not_answer_is_dead() -> None:
    session = esme()
    session.submit(MESSAGE, 20.0, "ours")
    session.tick(30.0)
    (closed,) = session.tick(50.0)
    assert isinstance(closed, ev.Closed)
    assert (closed.clean, [one.context for one in closed.unanswered]) == (False, ["ours"])


def test_any_sign_of_life_will_do() -> None:
    session = esme()
    session.tick(30.0)
    session.receive_data(encode(c.DELIVER_SM, 7, MESSAGE), 40.0)
    session.data_to_send()
    assert session.tick(50.0) == []
    session.tick(70.0)
    assert [pdu.command_id for pdu in sent(session)] == [c.ENQUIRE_LINK]


def test_an_answered_enquiry_starts_the_clock_again() -> None:
    session = esme()
    session.tick(30.0)
    (asked,) = sent(session)
    assert session.receive_data(encode(c.ENQUIRE_LINK | RESP, asked.sequence), 31.0) == []
    assert session.tick(60.0) == []
    assert not session.has_output


def test_a_request_without_answer_times_out_and_frees_its_place() -> None:
    session = esme(settings=Settings(window=1, enquire_after=1000))
    session.submit(MESSAGE, 0.0, "ours")
    (event,) = session.tick(60.0)
    assert isinstance(event, ev.TimedOut)
    assert [one.context for one in event.requests] == ["ours"]
    assert session.room == 1


def test_only_what_is_overdue_times_out() -> None:
    session = esme(settings=Settings(enquire_after=1000))
    session.submit(MESSAGE, 0.0, "old")
    session.submit(MESSAGE, 1.0, "young")
    (event,) = session.tick(60.0)
    assert isinstance(event, ev.TimedOut)
    assert [one.context for one in event.requests] == ["old"]


def test_a_late_answer_is_known_as_late() -> None:
    session = esme(settings=Settings(enquire_after=1000))
    sequence = session.submit(MESSAGE, 0.0, "ours")
    session.tick(60.0)
    (event,) = heard(session, c.SUBMIT_SM | RESP, sequence, MessageResp("id1"))
    assert isinstance(event, ev.SubmitAnswered)
    assert (event.late, event.context, event.message_id) == (True, "ours", "id1")


def test_a_bind_without_answer_closes() -> None:
    session = esme(State.OPEN)
    session.bind(c.BIND_TRANSCEIVER, Bind("us"), 0.0)
    assert session.tick(29.0) == []
    assert session.tick(30.0) == [ev.Closed("bind_transceiver was not answered", False, ())]


def test_an_unbind_without_answer_closes() -> None:
    assert esme(State.UNBOUND).tick(30.0) == [ev.Closed("unbind was not answered", False, ())]


def test_an_smsc_does_not_wait_for_a_bind_for_ever() -> None:
    assert smsc(State.OPEN).tick(30.0) == [ev.Closed("no bind in time", False, ())]


commands = st.sampled_from([*c.COMMANDS, 0x777, 0x80000777])
pdus = st.builds(
    lambda command_id, status, sequence, body: HEADER.pack(16 + len(body), command_id, status, sequence) + body,
    commands,
    st.integers(0, 0xFF),
    st.integers(0, 4),
    st.binary(max_size=60),
)


@given(st.lists(pdus | st.binary(max_size=30), max_size=10), st.sampled_from(Role), st.sampled_from(list(BOUND)))
def test_no_peer_can_break_a_session(stream: list[bytes], role: Role, state: State) -> None:
    session = MAKE[role](state)
    session.unbind(0.0)
    for at, data in enumerate(stream):
        session.receive_data(data, float(at))
        session.tick(float(at))
    list(Reader().feed(session.data_to_send()))


@given(st.lists(st.sampled_from(["submit", "answer", "nack", "tick", "lost"]), max_size=60))
def test_every_submit_is_accounted_for(steps: list[str]) -> None:
    session = esme(settings=Settings(window=5, enquire_after=1e9))
    submitted, told, now = 0, [], 0.0
    open_sequences: list[int] = []
    for step in [*steps, "lost"]:
        now += 20.0
        events: list[ev.Event] = []
        if step == "submit" and session.state is State.BOUND_TRX and session.room:
            open_sequences.append(session.submit(MESSAGE, now, submitted))
            submitted += 1
        elif step == "answer" and open_sequences:
            events = session.receive_data(encode(c.SUBMIT_SM | RESP, open_sequences.pop(), MessageResp("x")), now)
        elif step == "nack" and open_sequences:
            events = session.receive_data(encode(c.GENERIC_NACK, open_sequences.pop(0), status=3), now)
        elif step == "tick":
            events = session.tick(now)
        elif step == "lost":
            events = session.lost("gone")
        for event in events:
            if isinstance(event, ev.SubmitAnswered) and not event.late:
                told.append(event.context)
            elif isinstance(event, ev.Nacked) and event.pending and event.pending.context not in told:
                told.append(event.pending.context)
            elif isinstance(event, ev.TimedOut):
                told += [one.context for one in event.requests]
            elif isinstance(event, ev.Closed):
                told += [one.context for one in event.unanswered]
    assert sorted(told) == list(range(submitted))
