"""PDUs as told in the story of a message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import HEADER, encode, encode_body, make_tlvs
from heliograph.wire.smpp.describe import describe
from heliograph.wire.smpp.pdus import BODIES, Bind, DataSm, MessageResp, Outbind, ReplaceSm, ShortMessage


@pytest.mark.parametrize("command_id", c.BINDS)
def test_a_password_is_not_told(command_id: int) -> None:
    told = describe(encode(command_id, 1, Bind("user", "secret")))
    assert (told["system_id"], told["password"]) == ("user", "***")


def test_a_password_of_an_outbind_is_not_told() -> None:
    assert describe(encode(c.OUTBIND, 1, Outbind("user", "secret")))["password"] == "***"


def test_a_broken_bind_does_not_tell_its_password() -> None:
    body = encode_body(Bind("user", "secret"))[:-6]
    told = json.dumps(describe(HEADER.pack(16 + len(body), c.BIND_TRANSCEIVER, 0, 1) + body))
    assert "secret" not in told
    assert b"secret".hex() not in told


def test_a_submit_is_told_by_its_fields() -> None:
    message = ShortMessage(destination_addr="4477", esm_class=0x40, short_message=b"\5\0\3\1\2\1\0hi")
    told = describe(encode(c.SUBMIT_SM, 7, message))
    assert told["command"] == "submit_sm"
    assert told["command_status"] == "ESME_ROK"
    assert told["sequence_number"] == 7
    assert told["destination_addr"] == "4477"
    assert told["short_message"] == {"hex": "050003010201006869"}
    assert told["text"] == "@hi"


def test_binary_has_no_text() -> None:
    assert describe(encode(c.SUBMIT_SM, 7, ShortMessage(data_coding=4, short_message=b"\1")))["text"] is None


def test_the_text_of_a_data_sm_is_told() -> None:
    told = describe(encode(c.DATA_SM, 7, DataSm(tlvs=make_tlvs(message_payload=b"hi"))))
    assert told["text"] == "hi"


def test_a_replacement_is_told_in_hex() -> None:
    told = describe(encode(c.REPLACE_SM, 7, ReplaceSm(short_message=b"hi")))
    assert told["short_message"] == {"hex": "6869"}


def test_tlvs_are_told_by_name() -> None:
    tlvs = make_tlvs(receipted_message_id="abc", message_state=2, network_error_code=b"\3\0\1") | {0x1400: b"x"}
    assert describe(encode(c.SUBMIT_SM | c.RESPONSE, 1, MessageResp("id", tlvs)))["tlvs"] == {
        "receipted_message_id": "abc",
        "message_state": 2,
        "network_error_code": "030001",
        "0x1400": "78",
    }


def test_a_vendors_status_is_told_as_a_number() -> None:
    assert describe(encode(c.SUBMIT_SM | c.RESPONSE, 1, status=0x401))["command_status"] == "0x00000401"


def test_an_unknown_command_is_told_in_hex() -> None:
    told = describe(HEADER.pack(18, 0x777, 0, 1) + b"\1\2")
    assert (told["command"], told["body"]) == ("0x00000777", "0102")
    assert "unknown command" in told["error"]


def test_less_than_a_header_is_told_in_hex() -> None:
    assert describe(b"\1\2") == {"error": "shorter than a header", "hex": "0102"}


@given(st.sampled_from([*BODIES, 0x777]), st.binary(max_size=200))
def test_any_octets_can_be_told_in_json(command_id: int, body: bytes) -> None:
    json.dumps(describe(HEADER.pack(16 + len(body), command_id, 0, 1) + body))
