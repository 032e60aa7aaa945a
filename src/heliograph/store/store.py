"""The store: every area over one engine. Every write is durable when its call returns."""

from __future__ import annotations

from pathlib import Path

from heliograph.store.areas import (
    audit,
    inapp,
    links,
    messages,
    money,
    notices,
    purge,
    receipts,
    requests,
    threads,
    wishes,
    workspace,
)
from heliograph.store.areas.automation import events, runs
from heliograph.store.areas.cluster import duties, outbox, quotas
from heliograph.store.areas.people import erasing, profiles
from heliograph.store.engines.postgres.engine import PostgresEngine
from heliograph.store.engines.sqlite import SqliteEngine
from heliograph.store.steps import Write

# In this order within a group: what is accepted can be settled, what is settled can be receipted.
WRITES: dict[str, Write] = {
    "leases": duties.leases,
    "quotas": quotas.quotas,
    "accept": requests.accept,
    "open_account": money.open_account,
    "enter": money.enter,
    "reserve": money.reserve,
    "claim": messages.claim,
    "settle": messages.settle,
    "receive": receipts.receive,
    "tell": notices.tell,
    "inbound": receipts.inbound,
    "list_dnd": wishes.list_dnd,
    "unlist_dnd": wishes.unlist_dnd,
    "forget_wishes": wishes.forget_wishes,
    "tidy_reservations": money.tidy_reservations,
    "close_windows": messages.close_windows,
    "save_workspace": workspace.save_workspace,
    "use_keys": workspace.use_keys,
    "replay": notices.replay,
    "replay_parked": notices.replay_parked,
    "click": links.click,
    "forget_links": links.forget_links,
    "profiles": profiles.profiles,
    "queue_profiles": profiles.queue_profiles,
    "end_profile_jobs": profiles.end_profile_jobs,
    "profile_news": profiles.profile_news,
    "purge_profile_jobs": profiles.purge_profile_jobs,
    "erase": erasing.erase,
    "erase_jobs": erasing.erase_jobs,
    "audit": audit.audit,
    "save_token": duties.save_token,
    "accept_events": events.accept_events,
    "rerun": events.rerun,
    "match": runs.match,
    "advance": runs.advance,
    "lease_runs": runs.lease_runs,
    "free_runs": runs.free_runs,
    "purge_runs": runs.purge_runs,
    "purge_rule_texts": runs.purge_rule_texts,
    "erase_occurrences": events.erase_occurrences,
    "purge_occurrences": events.purge_occurrences,
    "inapp_keep": inapp.inapp_keep,
    "inapp_join": inapp.inapp_join,
    "inapp_ack": inapp.inapp_ack,
    "inapp_leave": inapp.inapp_leave,
    "inapp_drop": inapp.inapp_drop,
    "inapp_beat": inapp.inapp_beat,
    "inapp_forget": inapp.inapp_forget,
    "inapp_forget_users": inapp.inapp_forget_users,
    "purge": purge.purge,
    "forget": purge.forget,
    "release_claims": messages.release_claims,
    "owe": outbox.owe,
    "published": outbox.published,
    "take_outbox": outbox.take_outbox,
    "hasten_outbox": outbox.hasten_outbox,
    "refill_outbox": outbox.refill_outbox,
    "release_chunks": outbox.release_chunks,
    "park": outbox.park,
    "unpark": outbox.unpark,
}


class Store(
    erasing.Erasers,
    runs.Runs,
    messages.Messages,
    receipts.Receipts,
    threads.Threads,
    notices.Notices,
    links.Links,
    outbox.Outbox,
    workspace.Workspace,
    wishes.Wishes,
    money.Money,
    purge.Purge,
    profiles.Profiles,
    audit.Audit,
    duties.Duties,
    events.Occurrences,
    inapp.InAppArea,
    quotas.Quotas,
):
    """Everything the verbs need of a database."""

    @classmethod
    def on_sqlite(cls, path: Path, now_ms: int = 0) -> Store:
        """On the file at `path`, which is created or migrated when it is opened; `now_ms` dates the migrations."""
        return cls(SqliteEngine(path, WRITES, now_ms))

    @classmethod
    def on_postgres(cls, url: str, now_ms: int = 0) -> Store:
        """On the PostgreSQL database at `url`, which is migrated, and given partitions for the days around `now_ms`,
        when it is opened."""
        return cls(PostgresEngine(url, WRITES, now_ms))

    async def open(self) -> list[str]:
        """Connect and begin to write; the names of the migrations that were applied."""
        return await self.engine.open()

    async def close(self) -> None:
        """Write what waits, then let go."""
        await self.engine.close()

    def stats(self) -> dict[str, int]:
        """Commits made and operations in them."""
        return self.engine.statistics()
