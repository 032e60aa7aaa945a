"""Gates of money: a price, and enough of it."""

from __future__ import annotations

from heliograph.catalogue import keys
from heliograph.model.policies.texts import amount_text
from heliograph.policy.gates.case import LONGEST, Looked, Target
from heliograph.policy.objects.rates import Priced


def _priced(target: Target) -> Priced | None:
    plan, case = target.case.facts.declared.plan, target.case
    return plan.price(case.message.content.channel, target.number, case.parts) if plan else None


def plan(target: Target) -> Looked | None:
    """7115: the tenant's rate plan has a price for the destination."""
    if target.case.facts.declared.plan is None:
        return None
    priced = _priced(target)
    if priced is None:
        channel, path = target.case.message.content.channel, f"{target.case.tenant_path}.billing.rate_plan"
        return Looked("plan", False, f"{channel} to {(target.to or '')[:LONGEST]}", path, keys.RATE_PLAN_MISSING)
    target.price = priced.amount
    return None


def plan_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    priced, path = _priced(target), f"{target.case.tenant_path}.billing"
    if priced is None:
        return "no billing", path
    return _amount(target, priced.amount), f"{path}.rate_plan[{priced.place}]"


def credit(target: Target) -> Looked | None:
    """7103: the account holds the price."""
    left = target.left
    if left is None or target.price <= left:
        return None
    value = f"{_amount(target, target.price)} needed, {_amount(target, left)} left"
    return Looked("credit", False, value, f"{target.case.tenant_path}.billing.balance", keys.NOT_ENOUGH_CREDITS)


def credit_seen(target: Target) -> tuple[str, str]:
    """For the story of who passed."""
    path = f"{target.case.tenant_path}.billing.balance"
    return ("no account", path) if target.left is None else (f"{_amount(target, target.left)} left", path)


def _amount(target: Target, amount: int) -> str:
    found = target.case.facts.declared.plan
    return f"{amount_text(amount)} {found.currency}" if found else amount_text(amount)
