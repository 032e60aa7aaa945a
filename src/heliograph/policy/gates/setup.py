"""Gates of what is configured: tenant, channel, app, sender."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.workspace import App, ConnectorSpec
from heliograph.policy.gates.case import LONGEST, Case, Looked

FEATURES = {"push": ("push", keys.PUSH_NOT_ENABLED), "rt": ("rtm", keys.RTM_NOT_ENABLED)}
"""What an app must be made for to be sent to on a channel."""

ACCOUNTS = ("messenger", "twitter", "wechat", "whatsapp")


def tenant(case: Case) -> Looked:
    """7008: the tenant is active."""
    status, path = case.facts.tenant.status, f"{case.tenant_path}.status"
    if status != "active":
        return Looked("tenant", False, status, path, keys.INACTIVE_PROFILE)
    return Looked("tenant", True, status, path)


def configuration(case: Case) -> Looked:
    """7106: the service has a way out on this channel. 7104: the app that was asked for is one that it may use.
    7117, 7118: which is made for the channel. 7114: and that way is set up whole."""
    name, binding = case.message.content.channel, case.binding
    nothing = Looked("channel", False, name, "no connector kind for this channel", keys.CHANNEL_NOT_CONFIGURED)
    if case.channel is None:
        return nothing
    wanted = case.app or binding.connector or binding.app
    if not wanted:
        return Looked("channel", False, name, f"{case.binding_path} is not declared", keys.CHANNEL_NOT_CONFIGURED)
    by_app = bool(case.app or not binding.connector)
    path = f"{case.tenant_path}.{'apps' if by_app else 'connectors'}[{wanted[:LONGEST]}]"
    app = case.used_app if by_app else None
    if app is not None and (refused := _unusable_app(case, app, path)):
        return refused
    if not case.channel.kinds:
        return nothing
    if case.way is None:
        return _no_way(case, wanted, path, by_app)
    if case.way.faults:
        return Looked("channel", False, "; ".join(case.way.faults), path, keys.CONFIGURATION_ERROR)
    return Looked("channel", True, wanted, case.binding_path)


def _unusable_app(case: Case, app: App, path: str) -> Looked | None:
    service = case.facts.service.id
    if app.status != "active":
        return Looked("channel", False, app.status, f"{path}.status", keys.INVALID_APP_ID)
    if app.services and service not in app.services:
        value = f"it is not for the service {service}"
        return Looked("channel", False, value, f"{path}.services", keys.INVALID_APP_ID)
    feature, key = FEATURES.get(case.message.content.channel, ("", ""))
    if feature and is_of(app) is None and not getattr(app.features, feature):
        return Looked("channel", False, f"{feature} is off", f"{path}.features.{feature}", key)
    return None


def is_of(app: App) -> str | None:
    """The account of a social network that an app is; None for one that people install."""
    return next((name for name in ACCOUNTS if getattr(app, name) is not None), None)


def _no_way(case: Case, wanted: str, path: str, by_app: bool) -> Looked:
    name, tenant = case.message.content.channel, case.facts.tenant
    declared = tenant.apps if by_app else tenant.connectors
    known = next((item for item in declared if wanted in (getattr(item, "id", ""), getattr(item, "name", ""))), None)
    value, key = wanted[:LONGEST], keys.INVALID_APP_ID if by_app else keys.CHANNEL_NOT_CONFIGURED
    if known is None:
        return Looked("channel", False, value, f"{path} is not declared", key)
    if isinstance(known, ConnectorSpec):
        return Looked("channel", False, f"{value} is for {known.channel}", path, keys.CONFIGURATION_ERROR)
    return Looked("channel", False, f"{value} is not for {name}", path, key)


def sender(case: Case) -> Looked:
    """7101: the sender is one of the tenant's, given or by default."""
    channel = case.channel
    if channel is None or not channel.sender_field:
        return Looked("sender", True, "none needed", "channel")
    given = str(case.message.content.fields.get(channel.sender_field) or "")
    wanted = given or case.binding.sender
    if not wanted:
        return Looked("sender", False, "none given, no default", case.binding_path, keys.INVALID_SENDER_ID)
    case.sender = case.facts.senders.get((channel.name, wanted))
    path = f"{case.tenant_path}.senders[{wanted[:LONGEST]}]"
    if case.sender is None:
        reason = f"{path} is not declared for {channel.name}"
        return Looked("sender", False, wanted[:LONGEST], reason, keys.INVALID_SENDER_ID)
    services = case.sender.services
    if services and case.facts.service.id not in services:
        return Looked("sender", False, f"{wanted} is for other services", f"{path}.services", keys.INVALID_SENDER_ID)
    return Looked("sender", True, wanted, path)
