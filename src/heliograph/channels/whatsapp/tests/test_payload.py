"""What goes to the Cloud API, and that the stand-in takes it."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.whatsapp import CHANNEL
from heliograph.channels.whatsapp.payload import compose, message_id, pieces
from heliograph.channels.whatsapp.simulator import take
from heliograph.channels.whatsapp.template import native_of
from heliograph.model.channel import Body, Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Reference, SendError
from heliograph.model.workspace import Template, Tenant
from heliograph.policy.content import apply_template, fill
from heliograph.wire.graph.standin import Call
from heliograph.wire.graph.webhook import referred

SECRET = "an app secret"
TENANT = Tenant(
    id="demo",
    templates=(
        Template(id="t1", channel="whatsapp", text="Hello ${name}, ${total} on ${day}. Bye ${name}",
                 native={"name": "order_sent", "language": "en_GB", "header": "Order ${order}"}),
        Template(id="plain", channel="whatsapp", text="Nothing to fill in"),
        Template(id="named", channel="whatsapp", text="Hi ${name}", native={"parameters": "named"}),
        Template(id="code", channel="whatsapp", text="Your code is ${otp}"),
    ),
)  # fmt: skip
BUTTONS = [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]
SECTIONS = [{"title": "S", "rows": [{"id": "1", "title": "One"}]}]


def call(fields: dict[str, Any] | None = None, template: str = "", **parameters: Any) -> Any:
    """The body that goes out, or the refusal; made as policy makes it."""
    content = Content(channel="whatsapp", fields=fields or {}, template=template, parameters=parameters)
    if template:
        content = apply_template(content, next(item for item in TENANT.templates if item.id == template))
    text = fill(compose(content, str(content.fields.get("text") or "")), parameters)
    body = Body(content=content, text=text, attached=native_of(content, TENANT))
    made = pieces(Outbound(7, 3, "447700900001", body), SECRET)
    if isinstance(made, SendError):
        return made
    take(Call("demo/a_4~sandbox", "1", made[0].body))  # the far end takes it
    return made[0].body


def test_a_text_and_who_it_is_for() -> None:
    found = call({"type": "text", "text": {"body": "Hi"}, "preview_url": "true"})
    data = found.pop("biz_opaque_callback_data")

    assert found == {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "447700900001", "type": "text",
        "text": {"body": "Hi", "preview_url": True},
    }  # fmt: skip
    assert referred(data, SECRET) == Reference(7, 3)


@pytest.mark.parametrize(
    ("fields", "native"),
    [
        ({"type": "image", "image": {"url": "https://x", "mimeType": "image/png", "caption": "A ${name}"}},
         {"link": "https://x", "caption": "A Ann"}),
        ({"type": "document", "document": {"id": "5", "filename": "a.pdf"}}, {"id": "5", "filename": "a.pdf"}),
        ({"type": "audio", "audio": {"url": "https://x"}}, {"link": "https://x"}),
        ({"type": "location", "location": {"latitude": 1, "longitude": 2}}, {"latitude": 1, "longitude": 2}),
        ({"type": "contacts", "contacts": [{"name": {"first_name": "A"}}]}, [{"name": {"first_name": "A"}}]),
        ({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}},
         {"message_id": "wamid.1", "emoji": ""}),
    ],
)  # fmt: skip
def test_contents_of_every_type(fields: dict[str, Any], native: Any) -> None:
    found = call(fields, name="Ann")

    assert (found["type"], found[found["type"]]) == (fields["type"], native)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "reply", "reply": {"body": {"text": "Well?"}, "action": {"buttons": BUTTONS}}}, "button"),
        ({"type": "list", "list": {"body": {"text": "Well?"}, "action": {"button": "Menu", "sections": SECTIONS}}},
         "list"),
        ({"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "Well?"}, "action": {"x": 1}}},
         "cta_url"),
    ],
)  # fmt: skip
def test_buttons_lists_and_the_rest_are_interactive(fields: dict[str, Any], kind: str) -> None:
    found = call(fields)

    assert found["type"] == "interactive"
    assert (found["interactive"]["type"], found["interactive"]["body"]) == (kind, {"text": "Well?"})


def test_a_medium_above_buttons_is_linked() -> None:
    header = {"type": "image", "image": {"url": "https://x", "provider": {"name": "p"}}}
    found = call(
        {"type": "reply", "reply": {"header": header, "body": {"text": "x"}, "action": {"buttons": BUTTONS}}}
    )

    assert found["interactive"]["header"] == {"type": "image", "image": {"link": "https://x"}}


def test_an_answer_names_what_it_answers_and_whom_it_is_meant_for() -> None:
    found = call({"text": {"body": "Hi"}, "context": {"message_id": "wamid.9"}, "identity_key_hash": "h"})

    assert (found["context"], found["recipient_identity_key_hash"]) == ({"message_id": "wamid.9"}, "h")


def test_a_caption_that_is_too_long_is_refused_here() -> None:
    found = call({"type": "image", "image": {"url": "https://x", "caption": "x" * 1_025}})

    assert (found.key, found.retry) == (keys.MESSAGE_TOO_LONG, "no")


# Templates

TOTAL = {"type": "currency", "currency_code": "EUR", "amount_1000": "12500", "fallback_value": "12.50 EUR"}
DAY = {"type": "date_time", "fallback_value": "Friday", "timestamp": "1782231500"}


def test_a_template_has_its_name_language_and_parameters_in_order() -> None:
    found = call(template="t1", name="Ann", total=TOTAL, day=DAY, order=12)["template"]
    header, body = found["components"]

    assert (found["name"], found["language"]) == ("order_sent", {"code": "en_GB"})
    assert header == {"type": "header", "parameters": [{"type": "text", "text": "12"}]}
    assert body["parameters"] == [
        {"type": "text", "text": "Ann"},
        {"type": "currency", "currency": {"fallback_value": "12.50 EUR", "code": "EUR", "amount_1000": 12500}},
        {"type": "date_time", "date_time": {"fallback_value": "Friday"}},
    ]


def test_a_template_that_needs_nothing() -> None:
    assert call(template="plain")["template"] == {"name": "plain", "language": {"code": "en"}}


def test_a_template_whose_parameters_have_names() -> None:
    [body] = call(template="named", name="Ann")["template"]["components"]

    assert body["parameters"] == [{"type": "text", "text": "Ann", "parameter_name": "name"}]


def test_a_medium_buttons_and_a_code() -> None:
    found = call(
        template="plain", document={"link": "https://x/a.pdf", "filename": "a.pdf"},
        replies=[{"button_text": "Yes", "payload": "YES"}, {"button_text": "No", "payload": "NO"}],
        more={"type": "url", "payload": "path"},
    )["template"]["components"]  # fmt: skip
    codes = call(template="code", otp={"type": "otp", "value": "123456"})["template"]["components"]

    assert found[0]["parameters"] == [
        {"type": "document", "document": {"link": "https://x/a.pdf", "filename": "a.pdf"}}
    ]
    assert [(item["sub_type"], item["index"], item["parameters"][0]["type"]) for item in found[1:]] == [
        ("quick_reply", "0", "payload"), ("quick_reply", "1", "payload"), ("url", "2", "text"),
    ]  # fmt: skip
    assert [item["parameters"][0]["text"] for item in codes] == ["123456", "123456"]


def test_a_header_without_its_value_is_refused() -> None:
    found = call(template="t1", name="Ann", total=TOTAL, day=DAY)

    assert (found.key, found.detail) == (keys.PARAMS_UNRESOLVED, "order")


def test_a_content_of_its_own_wins_over_the_template() -> None:
    found = call({"type": "text", "text": {"body": "Hi"}}, template="plain")

    assert (found["type"], found["text"]["body"]) == ("text", "Hi")


def test_the_text_of_a_template_is_what_people_read() -> None:
    content = Content(
        channel="whatsapp", template="t1", fields={"text": TENANT.templates[0].text},
        parameters={"name": "Ann", "total": TOTAL, "day": DAY},
    )  # fmt: skip

    assert compose(content, TENANT.templates[0].text) == "Hello ${name}, 12.50 EUR on Friday. Bye ${name}"


@pytest.mark.parametrize("answer", [{}, {"messages": []}, {"messages": [1]}, {"messages": [{"id": 1}]}])
def test_an_answer_without_an_id_has_none(answer: dict[str, Any]) -> None:
    assert message_id(answer) == ""


def test_the_passport_is_an_extension() -> None:
    assert (CHANNEL.name, CHANNEL.aliases, CHANNEL.wire_name) == ("whatsapp", ("wa",), "whatsapp")
