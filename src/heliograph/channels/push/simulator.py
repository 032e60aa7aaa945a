"""The simulators of push: FCM, APNs and a browser's push service."""

from __future__ import annotations

from heliograph.channels.push.stand_ins.apns import ApnsStandIn
from heliograph.channels.push.stand_ins.fcm import FcmStandIn
from heliograph.channels.push.stand_ins.webpush import WebPushStandIn
from heliograph.wire.standin import StandInKind

STAND_INS = (
    StandInKind("fcm", 8601, FcmStandIn),
    StandInKind("apns", 8602, ApnsStandIn),
    StandInKind("webpush", 8603, WebPushStandIn),
)
"""By name and usual port."""
