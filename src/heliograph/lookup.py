"""Fetches what policy must know of a chunk of addresses: whom they lead to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from heliograph.model.message import Address, Content
from heliograph.model.people import NOTHING_KNOWN, Known, People, Person, Where
from heliograph.policy.facts import Facts


class Nobody:
    """Profiles where none are kept."""

    async def people(self, tenant: str, app: str, addresses: Collection[Address]) -> Mapping[Where, Person]:
        """See `People`."""
        return {}


class Lookup:
    """Looks addresses up, once for a whole chunk, and not at all where a tenant keeps nothing of them."""

    def __init__(self, people: People | None = None) -> None:
        self._people = people or Nobody()

    async def known(self, facts: Facts, content: Content, addresses: Collection[Address], now_ms: int) -> Known:
        """What is known of addresses that a content is for."""
        binding = facts.service.channels.get(content.channel)
        app = content.appid or (binding.app if binding else "")
        if facts.tenant.profile_store is None and not app:
            return NOTHING_KNOWN
        return Known(people=await self._people.people(facts.tenant.id, app, addresses))
