"""Push to Android, iOS and browsers: the passport of the channel. Its far ends are FCM, APNs and web push."""

from __future__ import annotations

from heliograph.channels.push import sandbox, settings
from heliograph.channels.push.app_receipts import hook
from heliograph.channels.push.connector import PushConnector
from heliograph.channels.push.payloads import all_texts
from heliograph.channels.push.request import INTERACTIVE, MEMBERS, MISSING_KEYS, PATH_ALIASES, RULES
from heliograph.model.addresses import normalise_id
from heliograph.model.channel import NO_LIMIT, AppUse, Channel, ConnectorKind

TOKEN_CHARACTERS = 4_096

APP = ConnectorKind("app", settings.check, PushConnector, sandbox.sandbox)
"""The one kind of connector: an app with its credentials for each system."""

CHANNEL = Channel(
    name="push",
    wire_name="push",
    path=("push",),
    path_aliases=PATH_ALIASES,
    rules=RULES,
    members=MEMBERS,
    objects=MEMBERS,
    missing_keys=MISSING_KEYS,
    addresses=(
        "android_pushid", "ios_pushid", "chrome_pushid", "firefox_pushid", "safari_pushid", "pushid", "userid",
        "customerid",
    ),
    normalise=lambda value: normalise_id(value, TOKEN_CHARACTERS),
    limit=NO_LIMIT,  # a payload that is too large is 7505 or 7510
    priority_path=("android", "priority"),
    interactive=INTERACTIVE,
    kinds={"app": APP},
    compose=lambda content, text: all_texts(content.fields, text),
    app=AppUse("app", settings.options),
    hook=hook,
    whole="any",
    lapses=False,  # no push service sends receipts, and an app need not
)  # fmt: skip
"""All the platform knows of push."""
