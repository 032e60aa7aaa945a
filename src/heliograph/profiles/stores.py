"""Whose profiles a call is about: the tenant's store of customers, or the profiles of one of its apps."""

from __future__ import annotations

from functools import lru_cache

from heliograph.catalogue import keys
from heliograph.contract.profiles.app_users import AppStore
from heliograph.contract.profiles.stores import Definitions, definitions_of
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.apps import kind_of
from heliograph.model.profiles.declared import ProfileStore
from heliograph.model.workspace import Tenant


def customers_of(tenant: Tenant) -> Definitions:
    """The tenant's store of customers; 7013 where it has none."""
    if tenant.profile_store is None:
        raise Rejected(keys.PROFILE_STORE_MISSING)
    return _definitions(tenant.profile_store)


def app_of(tenant: Tenant, appid: str) -> AppStore:
    """The profiles of an app; 7018 where the tenant has no such app, or one without profiles."""
    app = next((one for one in tenant.apps if one.id == appid), None)
    kind = kind_of(app) if app is not None else None
    if app is None or kind is None:
        raise Rejected(keys.APP_NOT_LINKED)
    return AppStore(app.id, kind, app.user_tokens)


@lru_cache(maxsize=256)
def _definitions(store: ProfileStore) -> Definitions:
    return definitions_of(store)
