"""Gates of what is said: template, type, length, parameters, words."""

from __future__ import annotations

import msgspec

from heliograph.catalogue import keys
from heliograph.model.placeholders import absent
from heliograph.policy.content import apply_template, choose, fill, fill_all, missing, missing_in
from heliograph.policy.gates.case import LONGEST, Case, Looked
from heliograph.policy.objects.links import Linker, NoLink

PARAMETERS = {"voice": 1_024}
"""Characters that `message.parameters` may take, written as JSON (decisions 3)."""


def template(case: Case) -> Looked:
    """7108: the template exists, is active and for this channel. 7114: so does what the content names otherwise, a
    call flow say. 7121: every placeholder has a value, of the call or
    else of the person's profile, and every link is there."""
    name = case.message.content.template
    if name:
        chosen, against = choose(name, case.facts.templates, case.message.content.channel)
        if chosen is None:
            return _unusable_template(case, against)
        case.content = apply_template(case.message.content, chosen, case.locale)
        case.texts = {} if "text" in case.message.content.fields else chosen.texts
        name = f"{chosen.id}, version {chosen.version}" + (f", {case.locale}" if case.locale else "")
    text = str(case.content.fields.get("text") or "")
    case.text = case.channel.compose(case.content, text) if case.channel else text
    objection = case.channel.objection(case.content, case.facts.tenant) if case.channel else None
    if objection is not None:
        return Looked("template", False, objection.value, objection.decided_by, objection.key)
    # a text without a `message` object is sent as it was written
    refused = _fill(case) if case.message.content.template or case.content.parameters else _link(case)
    return refused or Looked("template", True, name or "none", "`message.template`")


def _fill(case: Case) -> Looked | None:
    """Fills the text and the other members: with the call's parameters, then links, then a person's attributes, so
    that links are the same for everybody."""
    content, given = case.content, case.content.parameters
    asked = case.channel.asks(content, case.facts.tenant) if case.channel else ()
    others = {name: value for name, value in content.fields.items() if name != "text"}  # which is in `case.text`
    open_names = (*missing(case.text, given), *missing_in(others, given), *absent(asked, given))
    case.unfilled = tuple(dict.fromkeys(open_names))
    parameters = {**given, **case.attributes} if case.unfilled and case.attributes else given
    if names := absent(case.unfilled, parameters):
        return Looked("template", False, ", ".join(names), _sources(case), keys.PARAMS_UNRESOLVED)
    case.text = fill(case.text, given)
    if refused := _link(case):
        return refused
    case.text = fill(case.text, parameters)
    fields = {**content.fields, **{name: fill_all(value, parameters) for name, value in others.items()}}
    case.content = msgspec.structs.replace(content, parameters=parameters, fields=fields)
    return None


def _link(case: Case) -> Looked | None:
    """Puts short links into the text."""
    content, facts = case.content, case.facts
    if content.shorten is None and "{{" not in case.text:
        return None
    try:
        linker = Linker(content, facts.links, facts.tenant.link_domains, facts.link_base, case.tenant_path)
        case.text, case.links = linker.link(case.text)
    except NoLink as error:
        key = keys.CONFIGURATION_ERROR if error.setup else keys.PARAMS_UNRESOLVED
        return Looked("template", False, error.name[:LONGEST], error.decided_by, key)
    return None


def _sources(case: Case) -> str:
    return "`message.parameters`" + (" and the profile" if case.attributes else "")


def _unusable_template(case: Case, against: str) -> Looked:
    name = case.message.content.template
    path = f"{case.tenant_path}.templates[{name[:LONGEST]}]"
    found = next(iter(case.facts.templates.get(name.partition("@")[0], ())), None)
    if not against or found is None:
        return Looked("template", False, name[:LONGEST], f"{path} is not declared", keys.INVALID_TEMPLATE)
    return Looked("template", False, getattr(found, against), f"{path}.{against}", keys.INVALID_TEMPLATE)


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
