"""The only SQL: requests, transactions, receipts, notices and the workspace, durable before anyone is answered."""

from heliograph.store.committer import StoreUnavailable
from heliograph.store.sqlite import SqliteStore

__all__ = ["SqliteStore", "StoreUnavailable"]
