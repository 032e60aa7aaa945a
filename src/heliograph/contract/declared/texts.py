"""What the shape of templates and links cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from heliograph.contract.declared.names import is_http, unique
from heliograph.contract.shape import Fault
from heliograph.model.placeholders import placeholders
from heliograph.model.workspace import Template, Tenant

_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", re.ASCII)
_LINK = re.compile(r"\{\{([^{}]*)\}\}")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(:[0-9]{1,5})?")


def template_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    """A version of a template for a channel stands once and says something."""
    yield from unique(f"{path}.templates", dict.fromkeys(item.id for item in tenant.templates))
    seen: set[tuple[str, str, int]] = set()
    for template in tenant.templates:
        where = f"{path}.templates[{template.id}]"
        if not template.text and not template.fields and template.native is None:
            yield f"{where}.text", "is missing; give a text, or `fields` for the channel's object"
        if template.version < 1:
            yield f"{where}.version", "must be a whole number from 1"
        yield from _text_faults(template, f"{where}.texts")
        identity = (template.id, template.channel, template.version)
        if identity in seen:
            yield where, f"version {template.version} is declared twice for {template.channel}"
        seen.add(identity)


def _text_faults(template: Template, where: str) -> Iterator[Fault]:
    """A text in another language asks for no more than the text itself, and has the same links."""
    for locale, text in template.texts.items():
        place = f"{where}[{locale}]"
        if not _LOCALE.fullmatch(locale):
            yield place, "is no locale such as de or en-GB"
        if not text or not template.text:
            yield place, "is empty, or there is no `text` for all others"
        if more := [name for name in placeholders(text) if name not in placeholders(template.text)]:
            yield place, f"asks for ${{{more[0]}}}, which `text` does not"
        if _LINK.findall(text) != _LINK.findall(template.text):
            yield place, "must have the links of `text`, in their order"


def link_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    """Links lead somewhere, by a domain that is the tenant's."""
    yield from unique(f"{path}.links", [link.id for link in tenant.links])
    for domain in tenant.link_domains:
        if not _DOMAIN.fullmatch(domain):
            yield f"{path}.link_domains", f"{domain!r} is no domain name in small letters, go.example.com"
    for link in tenant.links:
        where = f"{path}.links[{link.id}]"
        for name in ("url", "ios_url", "android_url", "expired_url"):
            url = getattr(link, name)
            if not is_http(url) and (url or name == "url"):
                yield f"{where}.{name}", "must be an absolute http or https URL"
        if link.domain and link.domain not in tenant.link_domains:
            yield f"{where}.domain", f"{link.domain!r} is none of the tenant's link_domains"
        if link.validity < 1:
            yield f"{where}.validity", "must be minutes, 1 or more"
