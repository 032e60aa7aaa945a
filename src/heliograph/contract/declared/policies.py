"""What the shape of a tenant's policies cannot say: money, people, words and hours, each with the mend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from heliograph.contract.declared.names import (
    category_faults,
    channel_faults,
    services_faults,
    some_channels_faults,
)
from heliograph.contract.shape import Fault
from heliograph.model.policies import PRESETS, Billing, DndEntry, FrequencyCap, OptOut, SocialHours, SpamWord
from heliograph.model.policies.texts import amount_of, is_holiday, minute_of, moment_of, pulse_of, regex_fault
from heliograph.model.workspace import Tenant

_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = re.compile(r"[0-9]{0,15}")
WORD_CHARACTERS = 256
FARTHEST_SECONDS = 10 * 365 * 86_400
_AMOUNT = 'must be a decimal number of up to six decimals in quotes, "12.50"'


def policy_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    """Every fault of what a tenant declares about what may go now."""
    if tenant.billing is not None:
        yield from _billing_faults(tenant.billing, f"{path}.billing")
    yield from _dnd_faults(tenant.dnd, f"{path}.dnd")
    yield from category_faults(f"{path}.dnd_exempt", *tenant.dnd_exempt)
    if tenant.opt_out is not None:
        yield from _opt_out_faults(tenant.opt_out, f"{path}.opt_out")
    for index, cap in enumerate(tenant.frequency_caps):
        yield from _cap_faults(cap, f"{path}.frequency_caps[{index}]")
    for index, word in enumerate(tenant.spam_words):
        yield from _word_faults(word, f"{path}.spam_words[{index}]")
    hours = tenant.social_hours
    if isinstance(hours, SocialHours):
        yield from _hours_faults(hours, f"{path}.social_hours")
    for index, item in enumerate(hours if isinstance(hours, tuple) else ()):
        yield from _hours_faults(item, f"{path}.social_hours[{index}]")
    yield from _owner_faults(tenant, path)
    if tenant.clock_ahead and not all(service.sandbox for service in tenant.services):
        yield f"{path}.clock_ahead", "only a tenant whose services are all in the sandbox may have another time"
    if abs(tenant.clock_ahead) > FARTHEST_SECONDS:
        yield f"{path}.clock_ahead", f"must be {FARTHEST_SECONDS} seconds (ten years) at most"


def _owner_faults(tenant: Tenant, path: str) -> Iterator[Fault]:
    services = {service.id for service in tenant.services}
    for sender in tenant.senders:
        yield from services_faults(f"{path}.senders[{sender.id}].services", sender.services, services)
    for app in tenant.apps:
        yield from services_faults(f"{path}.apps[{app.id}].services", app.services, services)
    for service in tenant.services:
        yield from category_faults(f"{path}.services[{service.id}].category", service.category)
    for template in tenant.templates:
        yield from category_faults(f"{path}.templates[{template.id}].category", template.category)


def _billing_faults(billing: Billing, path: str) -> Iterator[Fault]:
    if not _CURRENCY.fullmatch(billing.currency):
        yield f"{path}.currency", "must be the three letters of a currency, EUR"
    if amount_of(billing.balance) is None:
        yield f"{path}.balance", _AMOUNT
    seen: set[tuple[str, str]] = set()
    for index, rate in enumerate(billing.rate_plan):
        where = f"{path}.rate_plan[{index}]"
        yield from channel_faults(f"{where}.channel", rate.channel)
        if not _PREFIX.fullmatch(rate.prefix):
            yield f"{where}.prefix", 'must be the first digits of a number, "44", or "" for all numbers'
        if amount_of(rate.price) is None:
            yield f"{where}.price", _AMOUNT
        if pulse_of(rate.pulse) is None:
            yield f"{where}.pulse", 'must be seconds, "60", or those of the first block and of the others, "30+6"'
        if (rate.channel, rate.prefix) in seen:
            yield where, f"there is another price for {rate.channel} and the prefix {rate.prefix!r}"
        seen.add((rate.channel, rate.prefix))


def _dnd_faults(entries: Sequence[DndEntry], path: str) -> Iterator[Fault]:
    seen: set[tuple[str, str, str]] = set()
    for entry in entries:
        where = f"{path}[{entry.address}]"
        yield from dnd_entry_faults(entry, where)
        identity = (entry.address, entry.channel, entry.category)
        if identity in seen:
            yield where, "is declared twice"
        seen.add(identity)


def dnd_entry_faults(entry: DndEntry, path: str) -> Iterator[Fault]:
    """What is wrong with one entry of the do-not-disturb list."""
    if not (0 < len(entry.address.strip()) <= WORD_CHARACTERS and entry.address.isprintable()):
        yield f"{path}.address", f"must be 1 to {WORD_CHARACTERS} printable characters"
    yield from some_channels_faults(f"{path}.channel", (entry.channel,))
    yield from category_faults(f"{path}.category", entry.category)
    if len(entry.reason) > WORD_CHARACTERS:
        yield f"{path}.reason", f"must be {WORD_CHARACTERS} characters at most"
    if entry.expires and moment_of(entry.expires) is None:
        yield f"{path}.expires", 'must be a date, "2030-01-31", or a moment, "2030-01-31T12:00:00Z"'


def _opt_out_faults(opt_out: OptOut, path: str) -> Iterator[Fault]:
    yield from category_faults(f"{path}.category", opt_out.category)
    stop = {word.strip().casefold() for word in opt_out.stop}
    for name, words in (("stop", opt_out.stop), ("start", opt_out.start)):
        for word in words:
            if not 0 < len(word.strip()) <= WORD_CHARACTERS:
                yield f"{path}.{name}", f"a keyword must have 1 to {WORD_CHARACTERS} characters"
            elif name == "start" and word.strip().casefold() in stop:
                yield f"{path}.{name}", f"{word!r} is a word for stopping too"


def _cap_faults(cap: FrequencyCap, path: str) -> Iterator[Fault]:
    if cap.most < 1:
        yield f"{path}.most", "must be 1 or more; put addresses that get nothing on the `dnd` list"
    yield from some_channels_faults(f"{path}.channel", (cap.channel,))
    yield from category_faults(f"{path}.category", cap.category)
    yield from category_faults(f"{path}.exempt", *cap.exempt)


def _word_faults(item: str | SpamWord, path: str) -> Iterator[Fault]:
    found = SpamWord(word=item) if isinstance(item, str) else item
    yield from some_channels_faults(f"{path}.channels", found.channels)
    if bool(found.word.strip()) == bool(found.regex):
        yield path, "must be a word, or an object with either `word` or `regex`"
    elif len(found.word) > WORD_CHARACTERS or len(found.regex) > WORD_CHARACTERS:
        yield path, f"must have {WORD_CHARACTERS} characters at most"
    elif found.regex and (why := regex_fault(found.regex)):
        yield f"{path}.regex", f"is no regular expression of RE2: {why}"


def _hours_faults(hours: SocialHours, path: str) -> Iterator[Fault]:
    if hours.preset and hours.preset not in PRESETS:
        yield f"{path}.preset", f"{hours.preset!r} is no preset; there are {', '.join(PRESETS)}"
    if bool(hours.windows) == bool(hours.preset):
        yield path, "must have either `windows` or a `preset`"
    for index, window in enumerate(hours.windows):
        where = f"{path}.windows[{index}]"
        for name, text in (("start", window.start), ("end", window.end)):
            if minute_of(text) is None:
                yield f"{where}.{name}", 'must be a time of day, "09:00" to "24:00"'
        if window.start == window.end or window.start == "24:00":
            yield f"{where}.start", 'a window that is always open is "00:00" to "24:00"'
        if not window.days:
            yield f"{where}.days", "must name a day"
    for day in hours.holidays:
        if not is_holiday(day):
            yield f"{path}.holidays", f'{day!r} is no date; write "2030-12-24", or "12-25" for every year'
    yield from some_channels_faults(f"{path}.channels", hours.channels)
    yield from category_faults(f"{path}.exempt", *hours.exempt)
    for country in hours.countries:
        if not _COUNTRY.fullmatch(country):
            yield f"{path}.countries", f"{country!r} is no country; write two capital letters, GB"
