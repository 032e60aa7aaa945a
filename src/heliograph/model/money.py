"""Accounts as they are kept, and what is asked of them. Amounts are whole millionths of the currency."""

from __future__ import annotations

import msgspec


class Account(msgspec.Struct, frozen=True, array_like=True):
    """How an account stands: what it was opened with, what may be spent, what is set aside, what is spent."""

    opening: int
    balance: int
    reserved: int
    spent: int


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Something booked to an account: why (`kind`), how much, by whom and with which words."""

    at: int
    kind: str
    amount: int
    note: str
    actor: str
    id: int = 0


class Ask(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message that is about to go out: its price, its address, and the `slots` that count it."""

    request: int
    ordinal: int
    amount: int
    address: str
    slots: tuple[str, ...]


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a tenant for which money is to be set aside, in order. `paid` says whether money matters, `opening`
    what the account is opened with if there is none; `most` how many messages each slot allows an address, `until`
    when a slot ends."""

    tenant: str
    at: int
    asks: list[Ask]
    paid: bool
    opening: int = 0
    most: dict[str, int] = {}
    until: dict[str, int] = {}


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages may go, in order; what is left of the balance (None where money does not matter), and what the
    addresses have had by then, as `(slot, address, count)`."""

    granted: list[bool]
    left: int | None
    sent: list[tuple[str, str, int]]
