"""The XML of WeChat, and everything of XML that is not let in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.wechat import xml

BAD = [
    b"",
    b"text",
    b"<xml>",
    b"<xml></lmx>",
    b"<xml>&nothing;</xml>",
    b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><Content>&a;</Content></xml>',
    b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
    b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>',
    b'<!DOCTYPE xml [<!ENTITY % a SYSTEM "http://127.0.0.1/">%a;]><xml/>',
    b'<?xml version="1.0" encoding="nonsense"?><xml/>',
    b"<a>" * 1_000 + b"</a>" * 1_000,
    b"<xml>" + b"".join(b"<a%d/>" % number for number in range(1_000)) + b"</xml>",
    b'<!DOCTYPE l [<!ENTITY a "aa">' + b"".join(
        b'<!ENTITY %c "&%c;&%c;">' % (n + 1, n, n) for n in range(97, 120)) + b"]><xml><T>&x;</T></xml>",
]  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


def test_members_are_read_as_text() -> None:
    found = xml.read(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><CreateTime>1348831860</CreateTime>"
        "<Content><![CDATA[你好 <b>&amp;]]></Content></xml>".encode()
    )

    assert found == {"ToUserName": "gh_1", "CreateTime": "1348831860", "Content": "你好 <b>&amp;"}


def test_what_is_nested_deeper_is_left_out() -> None:
    found = xml.read(b"<xml><A>1</A><ScanCodeInfo><ScanType>qrcode</ScanType></ScanCodeInfo><B>2</B></xml>")

    assert (found["A"], found["B"], "ScanType" in found) == ("1", "2", False)


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_what_is_no_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(xml.BadXml):
        xml.read(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    with contextlib.suppress(xml.BadXml):
        assert isinstance(xml.read(body), dict)


@given(st.dictionaries(st.sampled_from(["Content", "FromUserName", "MsgId", "Event"]), TEXT.map(str.strip)))
def test_what_is_written_is_read(members: dict[str, str]) -> None:
    assert xml.read(xml.written(dict(members))) == {
        name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in members.items()
    }
