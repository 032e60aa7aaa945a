"""The only SQL: requests, transactions, receipts, notices and the workspace, durable before anyone is answered."""

from heliograph.store.areas.links import Clicked
from heliograph.store.engines.base import StoreUnavailable
from heliograph.store.store import Store

__all__ = ["Clicked", "Store", "StoreUnavailable"]
