"""What each system is sent for a request, and what it is not sent."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import catalogue
from heliograph.channels.push import payloads
from heliograph.channels.push.payloads import Payload, Unfit
from heliograph.model.channel import Body

from .conftest import body_of

BUTTONS = {
    "category": "DOUBLE_YES_NO", "device_types": ["android", "ios"], "pushref": "ref",
    "actions": [{"pos": 1, "identifier": "YES", "action": "OPEN_URL", "value": "https://example.com"},
                {"pos": 2, "identifier": "NO", "action": "OPEN_APP"}],
}  # fmt: skip


def made(system: str, body: Body, *, style: str = "notification", push_type: str = "alert") -> Payload:
    if system == "android":
        return payloads.android(body, style, "general")
    return payloads.ios(body, push_type) if system == "ios" else payloads.web(body, "chrome")


def with_extras(system: str, **extras: Any) -> Body:
    return body_of(**{system: {"title": "T", "text": "Hi", "platform_types": ["chrome"], "extras": extras}})


def android(block: dict[str, Any], **more: Any) -> dict[str, Any]:
    return made("android", body_of(android={"text": "Hi", **block}, **more)).fields


# Android


def test_android_in_full() -> None:
    extras = {
        "collapse_key": "k", "time_to_live": "3600", "sound": "ping", "notificationChannelId": "offers",
        "customtags": {"imageurl": "https://example.com/a.png", "list": [1, "2"], "order": "4711"},
    }  # fmt: skip
    found = made("android", body_of(android={"title": "T", "text": "Hi", "priority": "5", "extras": extras}))

    assert found.fields == {
        "notification": {"title": "T", "body": "Hi", "image": "https://example.com/a.png"},
        "data": {"imageurl": "https://example.com/a.png", "list": '[1,"2"]', "order": "4711"},
        "android": {
            "priority": "HIGH", "ttl": "3600s", "collapse_key": "k",
            "notification": {
                "channel_id": "offers", "sound": "ping", "notification_priority": "PRIORITY_MAX",
            },
        },
    }  # fmt: skip
    assert found.ttl == 3600


@pytest.mark.parametrize(
    ("priority", "urgency"), [("1", "NORMAL"), ("2", "NORMAL"), ("3", "HIGH"), ("5", "HIGH"), ("", "HIGH")]
)
def test_low_priorities_may_wait_on_android(priority: str, urgency: str) -> None:
    assert android({"priority": priority})["android"]["priority"] == urgency


@pytest.mark.parametrize("value", ["true", True])
def test_delay_while_idle_may_wait_on_android(value: object) -> None:
    assert android({"extras": {"delay_while_idle": value}})["android"]["priority"] == "NORMAL"


def test_buttons_on_android_are_shown_by_the_app_itself() -> None:
    found = made("android", body_of(android={"title": "T", "text": "Hi"}, interactive=BUTTONS))

    assert "notification" not in found.fields
    assert found.ours["buttons"] == BUTTONS["actions"]
    assert (found.ours["title"], found.ours["text"], found.ours["category"]) == ("T", "Hi", "DOUBLE_YES_NO")


def test_the_style_data_leaves_everything_to_the_app() -> None:
    found = made("android", body_of(android={"title": "T", "text": "Hi"}), style="data")

    assert found.fields == {"data": {}, "android": {"priority": "HIGH", "ttl": "2419200s"}}
    assert found.ours == {"title": "T", "text": "Hi"}


def test_buttons_go_to_the_devices_they_are_meant_for() -> None:
    only_ios = {**BUTTONS, "device_types": ["ios"]}

    assert "buttons" not in made("android", body_of(android={"text": "Hi"}, interactive=only_ios)).ours
    assert "buttons" in made("ios", body_of(ios={"text": "Hi"}, interactive=only_ios)).ours


# iOS


def test_ios_in_full() -> None:
    extras = {
        "badge": "3", "sound": "default", "time_to_live": 60, "collapse_key": "k", "customtags": {"a": {"b": 1}},
        "attachmenturl": "https://example.com/a.png",
        "notificationaction": {"action": "OPEN_URL", "value": "https://example.com"},
    }  # fmt: skip
    found = made("ios", body_of(ios={"title": "T", "text": "Hi", "extras": extras}, interactive=BUTTONS))

    assert found.fields == {
        "a": {"b": 1},
        "aps": {
            "alert": {"title": "T", "body": "Hi"}, "mutable-content": 1, "sound": "default",
            "category": "DOUBLE_YES_NO", "badge": 3,
        },
    }  # fmt: skip
    assert found.ours == {
        "action": {"action": "OPEN_URL", "value": "https://example.com"}, "category": "DOUBLE_YES_NO",
        "buttons": BUTTONS["actions"], "attachmenturl": "https://example.com/a.png",
    }  # fmt: skip
    assert (found.ttl, found.headers) == (60, {"apns-collapse-id": "k"})


def test_a_background_push_shows_nothing() -> None:
    found = made("ios", body_of(ios={"title": "T", "text": "Hi"}), push_type="background")

    assert found.fields == {"aps": {"content-available": 1}}
    assert found.ours == {"title": "T", "body": "Hi"}


# Browsers


def test_web_in_full() -> None:
    block = {
        "platform_types": ["chrome"], "title": "T", "text": "Hi", "url": "https://example.com", "actiontext": "Open",
        "extras": {"collapse_key": "news", "time_to_live": "60", "customtags": {"a": 1}},
    }  # fmt: skip
    found = made("web", body_of(web=block))

    assert found.fields == {
        "web_push": 8030,
        "notification": {
            "title": "T", "body": "Hi", "navigate": "https://example.com", "tag": "news", "data": {"a": 1},
            "actions": [{"action": "open", "title": "Open", "navigate": "https://example.com"}],
        },
    }  # fmt: skip
    assert (found.ttl, found.headers) == (60, {"topic": "news"})


def test_a_collapse_key_that_is_no_topic_is_digested() -> None:
    found = made("web", with_extras("web", collapse_key="two words, and more than thirty-two letters"))

    assert len(found.headers["topic"]) == 32
    assert found.headers["topic"].isalnum()


def test_a_text_without_a_title_is_the_title_of_a_browser() -> None:
    found = made("web", body_of(web={"platform_types": ["chrome"], "text": "Hi"}))

    assert found.fields == {"notification": {"title": "Hi"}}


# Templates


def test_placeholders_are_filled_in_titles_and_texts() -> None:
    body = body_of(parameters={"name": "Ann"}, ios={"title": "Dear ${name}", "text": "Hi ${name}"})

    assert made("ios", body).fields["aps"]["alert"] == {"title": "Dear Ann", "body": "Hi Ann"}


@pytest.mark.parametrize("system", ["android", "ios", "web"])
def test_a_template_is_enough_for_every_system(system: str) -> None:
    found = made(system, body_of(parameters={"name": "Ann"}, template="1001", text="Hi ${name}"))

    assert "Hi Ann" in str(found.fields)


def test_a_text_without_a_message_object_is_sent_as_it_was_written() -> None:
    found = made("ios", body_of(ios={"text": "Hi ${name}"}))

    assert found.fields["aps"]["alert"]["body"] == "Hi ${name}"


def test_the_texts_of_all_systems_are_looked_at() -> None:
    fields = {"android": {"title": "A", "text": "B"}, "ios": {"text": "B"}, "web": {"actiontext": "C"}}

    assert payloads.all_texts(fields, "template") == "template\nA\nB\nC"


# What does not fit


@pytest.mark.parametrize(
    ("system", "longest", "code"),
    [("android", 2_419_200, "7506"), ("ios", 2_592_000, "7511"), ("web", 2_419_200, "7506")],
)
def test_times_to_live_have_ends(system: str, longest: int, code: str) -> None:
    for good in (0, longest, str(longest)):
        assert made(system, with_extras(system, time_to_live=good)).ttl == int(good)
    for bad in (-1, longest + 1, "soon", 1.5, True, [], "1" * 400):
        with pytest.raises(Unfit) as refused:
            made(system, with_extras(system, time_to_live=bad))
        assert catalogue.code(refused.value.key) == code


@pytest.mark.parametrize(
    ("system", "code", "longest"), [("android", "7505", 4_096), ("ios", "7510", 4_096), ("web", "7505", 3_993)]
)
def test_payloads_have_a_most_and_not_a_byte_more(system: str, code: str, longest: int) -> None:
    def body(size: int) -> Body:
        return body_of(
            **{system: {"platform_types": ["chrome"], "title": "T", "text": "é" * (size // 2) + "x" * (size % 2)}}
        )

    fits = next(size for size in range(longest, 0, -1) if _made(system, body(size)))

    assert longest - 250 < fits < longest
    with pytest.raises(Unfit, match=str(longest)) as refused:
        made(system, body(fits + 1))
    assert catalogue.code(refused.value.key) == code


def _made(system: str, body: Body) -> bool:
    try:
        made(system, body)
    except Unfit:
        return False
    return True


def test_a_voip_push_may_be_longer() -> None:
    body = body_of(ios={"text": "x" * 4_900})

    assert made("ios", body, push_type="voip")
    with pytest.raises(Unfit):
        made("ios", body)


@pytest.mark.parametrize(
    ("system", "extras"),
    [
        ("ios", {"badge": "many"}), ("ios", {"badge": -1}), ("ios", {"collapse_key": "k" * 65}),
        ("ios", {"customtags": {"aps": {}}}), ("ios", {"customtags": {"heliograph": {}}}),
        ("android", {"customtags": {"heliograph": ""}}), ("web", {"customtags": {"heliograph": ""}}),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_and_not_dropped(system: str, extras: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as refused:
        made(system, with_extras(system, **extras))

    assert catalogue.code(refused.value.key) == "7518"


@pytest.mark.parametrize("system", ["android", "ios", "web"])
def test_a_system_without_its_object_is_told_so(system: str) -> None:
    others = {name: {"text": "Hi"} for name in ("android", "ios", "web") if name != system}
    with pytest.raises(Unfit, match="Mandatory parameters missing") as refused:
        made(system, body_of(**others))

    assert catalogue.code(refused.value.key) == "7003"


def test_a_browser_that_is_not_meant_is_left_out() -> None:
    with pytest.raises(Unfit, match="platform_types"):
        payloads.web(body_of(web={"text": "Hi", "platform_types": ["safari"]}), "firefox")
