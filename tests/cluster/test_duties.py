"""What one process has at a time: it goes to another when that one ends, however it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from heliograph.store.areas.cluster.duties import Claim
from heliograph.testing import Running, eventually
from heliograph.testing.cluster import Cluster, Process, cluster
from heliograph.testing.postgres import PostgresServer

LANE = "demo/smsc~sandbox"
LEASE = f"lane.sms.{LANE}"
FAIL_OVER_SECONDS = 10.0
AT_ONCE_SECONDS = 3.0  # of which starting and unbinding take some


async def state_of(node: Running) -> dict[str, object]:
    """What `/readyz` says."""
    found: dict[str, object] = (await node.client.get("/readyz")).json()
    return found


async def bound(process: Process, seconds: float) -> float:
    """After how long the process has the connector bound."""
    began = time.monotonic()

    async def check() -> bool:
        return (await asyncio.to_thread(process.connectors)).get(LANE) == "bound"

    await eventually(check, seconds)
    return time.monotonic() - began


async def ready(*processes: Process) -> None:
    """All of them are."""

    async def check() -> bool:
        return all([(await asyncio.to_thread(process.ready)).get("ok") for process in processes])

    await eventually(check, 30)


async def killed_and_drained(shared: Cluster) -> None:
    """A bind goes on elsewhere within ten seconds of a kill, and at once at a drain."""
    async with shared.node("api", ROLES="api,simulators") as api:
        first = shared.process("first")
        await bound(first, 30)
        second, third = shared.process("second"), shared.process("third")
        await ready(second, third)
        assert (await state_of(api))["connectors"] == {}
        first.send(signal.SIGKILL)
        heirs = [asyncio.create_task(bound(heir, FAIL_OVER_SECONDS)) for heir in (second, third)]
        _, left = await asyncio.wait(heirs, return_when=asyncio.FIRST_COMPLETED)
        heir, other = (second, third) if heirs[0].done() else (third, second)
        assert [task.exception() for task in heirs if task.done()] == [None]
        for task in left:
            task.cancel()

        heir.process.send_signal(signal.SIGTERM)
        await bound(other, AT_ONCE_SECONDS)

        assert await asyncio.to_thread(heir.process.wait, 10) == 0


async def paused(shared: Cluster) -> None:
    """A process that was paused gives up what another has by then."""
    async with shared.node("api", ROLES="api,simulators"):
        first = shared.process("first")
        await bound(first, 30)
        second = shared.process("second")
        await ready(second)

        first.send(signal.SIGSTOP)
        await bound(second, FAIL_OVER_SECONDS)
        first.send(signal.SIGCONT)

        async def gave_up() -> bool:
            found = await asyncio.to_thread(first.ready)
            return found["connectors"] == {LANE: "elsewhere"} and LEASE not in found["leases"]

        await eventually(gave_up, 3)
        found, other = await asyncio.to_thread(first.ready), await asyncio.to_thread(second.ready)
        assert found["ok"]
        assert not set(found["leases"]) & set(other["leases"])


async def test_every_process_tells_which_has_a_connector(shared: Cluster) -> None:
    async with shared.node("api", ROLES="api,simulators") as api:
        nobody = (await api.admin("GET", "/connectors")).json()
        async with shared.node("worker", ROLES="worker") as worker:

            async def bound() -> bool:
                found: dict[str, dict[str, str]] = (await worker.admin("GET", "/connectors")).json()
                return found[LANE]["state"] == "bound"

            await eventually(bound)
            seen = [(await node.admin("GET", "/connectors")).json()[LANE] for node in (api, worker)]

        assert nobody == {LANE: {"state": "elsewhere", "process": ""}}
        assert [one["state"] for one in seen] == ["elsewhere", "bound"]
        assert {one["process"] for one in seen} == {worker.platform.cluster.owner}


async def test_a_bind_goes_on_elsewhere_after_a_kill_a_drain_and_a_pause(
    shared: Cluster, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Both at once, for most of it is waiting; each on a database of its own."""
    (tmp_path / "paused").mkdir()
    with cluster(postgres_server.url(postgres_server.create()), shared.bus, tmp_path / "paused") as other:
        await asyncio.gather(killed_and_drained(shared), paused(other))


async def test_every_duty_is_one_process_s_and_callers_are_shared_out(shared: Cluster) -> None:
    async with shared.nodes("api,simulators,worker", "worker", "api") as nodes:

        async def shared_out() -> bool:
            held = [set((await state_of(node))["leases"]) for node in nodes]  # type: ignore[call-overload]
            tell = [sum(name.startswith("tell.") for name in names) for names in held]
            return tell == [8, 8, 0] and len(set.union(*held)) == sum(map(len, held))

        await eventually(shared_out)
        held = [(await state_of(node))["leases"] for node in nodes]
        assert [name for name in held[2] if not name.startswith("node.")] == []  # type: ignore[attr-defined]
        assert LEASE in [*held[0], *held[1]]  # type: ignore[misc]


async def test_a_number_that_is_another_s_by_now_is_not_ours(shared: Cluster) -> None:
    """As after a pause in which so many processes started that all numbers came round."""
    async with shared.nodes("api,simulators") as [node]:
        [before] = [name for name in (await state_of(node))["leases"] if name.startswith("node.")]  # type: ignore[attr-defined]
        store = node.platform.store
        first = node.platform.ids.next()
        await store.claim_leases(Claim(node.platform.cluster.owner, [], [before], 0))
        await store.claim_leases(Claim("another", [before], [], 60_000))

        async def another_one() -> bool:
            held = [name for name in (await state_of(node))["leases"] if name.startswith("node.")]  # type: ignore[attr-defined]
            return held not in ([], [before])

        await eventually(another_one, 5)
        assert (first >> 16) & 63 != (node.platform.ids.next() >> 16) & 63
