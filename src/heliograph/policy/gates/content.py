"""Gates of what is said: template, type, length, parameters, words."""

from __future__ import annotations

import msgspec

from heliograph.catalogue import keys
from heliograph.policy.content import apply_template, fill, missing
from heliograph.policy.gates.case import LONGEST, Case, Looked

PARAMETERS = {"voice": 1_024}
"""Characters that `message.parameters` may take, written as JSON (decisions 3)."""


def template(case: Case) -> Looked:
    """7108: the template exists, is active and for this channel. 7121: every placeholder has a value, of the call or
    else of the person's profile."""
    content = case.message.content
    name = content.template
    refused = _unusable_template(case) if name else None
    if refused is not None:
        return refused
    if name:
        case.content = content = apply_template(content, case.facts.templates[name])
    text = str(content.fields.get("text") or "")
    case.text = case.channel.compose(content, text) if case.channel else text
    if name or content.parameters:  # a text without a `message` object is sent as it was written
        case.unfilled = tuple(missing(case.text, content.parameters))
        parameters = content.parameters
        if case.unfilled and case.attributes:
            parameters = {**parameters, **case.attributes}
            case.content = msgspec.structs.replace(content, parameters=parameters)
        if names := missing(case.text, parameters):
            return Looked("template", False, ", ".join(names), _sources(case), keys.PARAMS_UNRESOLVED)
        case.text = fill(case.text, parameters)
    return Looked("template", True, name or "none", "`message.template`")


def _sources(case: Case) -> str:
    return "`message.parameters`" + (" and the profile" if case.attributes else "")


def _unusable_template(case: Case) -> Looked | None:
    name = case.message.content.template
    path = f"{case.tenant_path}.templates[{name[:LONGEST]}]"
    found = case.facts.templates.get(name)
    if found is None:
        return Looked("template", False, name[:LONGEST], f"{path} is not declared", keys.INVALID_TEMPLATE)
    if found.status != "active":
        return Looked("template", False, found.status, f"{path}.status", keys.INVALID_TEMPLATE)
    if found.channel != case.message.content.channel:
        return Looked("template", False, found.channel, f"{path}.channel", keys.INVALID_TEMPLATE)
    return None


def message_type(case: Case) -> Looked:
    """7112: the sender may send this type."""
    kind = str(case.content.fields.get("type") or "text")
    if case.sender is None or case.channel is None:
        return Looked("type", True, kind, "channel")
    why = case.channel.allows(case.content, case.sender)
    path = f"{case.tenant_path}.senders[{case.sender.id}].types"
    return Looked("type", False, why, path, keys.INVALID_MESSAGE_TYPE) if why else Looked("type", True, kind, path)


def length(case: Case) -> Looked:
    """7107: the text is not longer than the channel takes."""
    channel, size, path = case.channel, len(case.text), "limit of the channel"
    if channel is None:
        return Looked("length", True, f"{size} characters", path)
    if size <= channel.limit:
        case.parts, case.encoding, size = channel.measure(case.content, case.text)
    if size > channel.limit:
        value = f"{size} characters, {channel.limit} at most"
        return Looked("length", False, value, path, keys.MESSAGE_TOO_LONG)
    return Looked(
        "length", True, f"{size} characters, {case.parts} part{'s' if case.parts > 1 else ''}, {case.encoding}", path
    )


def parameters(case: Case) -> Looked:
    """7120: what a call flow is given is not longer than it takes."""
    most = PARAMETERS.get(case.message.content.channel)
    if most is None or not case.content.parameters:
        return Looked("parameters", True, "no limit" if most is None else "none", "limit of the channel")
    size = len(msgspec.json.encode(case.content.parameters).decode())
    value = f"{size} characters of {most}"
    if size > most:
        return Looked("parameters", False, value, "limit of the channel", keys.VOICE_PARAMS_TOO_LONG)
    return Looked("parameters", True, value, "limit of the channel")


def words(case: Case) -> Looked:
    """7111: the text holds none of the tenant's words."""
    spam, path = case.facts.declared.spam, f"{case.tenant_path}.spam_words"
    found = spam.find(case.text, case.message.content.channel) if spam and case.text else None
    if found is None:
        return Looked("content", True, "no word of the list" if spam else "no list", path)
    index, word = found
    return Looked("content", False, word[:LONGEST], f"{path}[{index}]", keys.SPAM_CONTENT)
