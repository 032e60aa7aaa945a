"""The simulators of push: FCM, APNs and a browser's push service."""

from __future__ import annotations

from heliograph.channels.push.stand_ins.apns import ApnsStandIn
from heliograph.channels.push.stand_ins.fcm import FcmStandIn
from heliograph.channels.push.stand_ins.webpush import WebPushStandIn
from heliograph.wire.standin import StandInKind

STAND_INS = (
    StandInKind("fcm", 9100, FcmStandIn),
    StandInKind("apns", 9101, ApnsStandIn),
    StandInKind("webpush", 9102, WebPushStandIn),
)
"""By name and usual port."""
