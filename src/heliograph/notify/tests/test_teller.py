"""Telling over real loopback calls: what is sent, retried, parked, kept apart and left behind."""

import asyncio
import json
import logging
import time

import pytest

from heliograph.model.outcome import State
from heliograph.model.record import Delivery
from heliograph.model.workspace import Notify, Service, Tenant
from heliograph.wire.signing import verify


async def hang(*_: object) -> None:
    await asyncio.sleep(30)


async def drop(_: object, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_an_offered_notice_is_posted_and_told(desk, serve) -> None:
    async with serve() as far:
        teller = desk.start()
        teller.offer(desk.notices(far, 1))
        await desk.all_are(Delivery.DONE)
        headers, body = far.calls[0]
        assert json.loads(body)["deliveryInfoNotification"]["deliveryInfo"]["deliveryStatus"] == "Delivered"
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"].startswith("heliograph/")
        assert [(told.status, told.attempts) for told in desk.store.told_log] == [(200, 1)]


async def test_a_call_is_signed_with_the_services_secret(desk, serve) -> None:
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.DONE)
        headers, body = far.calls[0]
        assert verify("hush", body, headers, time.time())


async def test_without_a_secret_nothing_is_signed(desk, serve) -> None:
    desk.service = Service(id="s", sandbox=True)
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.DONE)
        assert not [name for name in far.calls[0][0] if "signature" in name]


async def test_an_inbound_body_is_sent_as_it_is(desk, serve) -> None:
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1, body='{"message":"Grüße"}'))
        await desk.all_are(Delivery.DONE)
        assert far.calls[0][1] == '{"message":"Grüße"}'.encode()


async def test_pending_notices_of_the_table_are_found_without_an_offer(desk, serve) -> None:
    async with serve() as far:
        desk.notices(far, 5)
        desk.start()
        await desk.all_are(Delivery.DONE)


async def test_every_notice_is_told_once_under_load(desk, serve) -> None:
    async with serve() as far:
        teller = desk.start(queue=200)
        for _ in range(30):
            teller.offer(desk.notices(far, 100))
            await asyncio.sleep(0)
        assert teller.stats()["queued"] <= 200
        await desk.all_are(Delivery.DONE, 20)
        assert len(far.calls) == len(set(far.transids())) == 3000
        assert teller.stats() == {
            "sent": 3000, "failed": 0, "retried": 0, "parked": 0, "in_flight": 0, "queued": 0,
        }  # fmt: skip


async def test_outcomes_are_written_in_batches(desk, serve) -> None:
    async with serve() as far:
        desk.start(batch=0.02).offer(desk.notices(far, 500))
        await desk.all_are(Delivery.DONE)
        assert desk.store.told_calls < 50


async def test_states_of_one_transaction_arrive_in_order(desk, serve) -> None:
    async with serve() as far:
        teller = desk.start()
        for request in (1 << 30, 2 << 30, 3 << 30):
            for state, key in (
                (State.SUBMITTED, "submitted"),
                (State.DELIVERED, "delivered"),
                (State.READ, "read"),
            ):
                teller.offer(desk.notices(far, 20, request, state=state, key=key))
        await desk.all_are(Delivery.DONE)
        seen: dict[str, list[str]] = {}
        for _, body in far.calls:
            told = json.loads(body)["deliveryInfoNotification"]
            seen.setdefault(told["transid"], []).append(told["deliveryInfo"]["deliveryStatus"])
        assert list(seen.values()) == [["Submitted", "Delivered", "Read"]] * 60


async def test_no_more_calls_at_once_to_an_endpoint_than_lanes(desk, serve) -> None:
    async def slow(_: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.005)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with serve(slow) as far:
        desk.start(lanes=3).offer(desk.notices(far, 60))
        await desk.all_are(Delivery.DONE)
        assert far.most == 3


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403])
async def test_a_passing_failure_climbs_the_fast_ladder_and_parks(desk, serve, reply, status: int) -> None:
    async with serve(reply(status)) as far:
        started = time.monotonic()
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.PARKED, 8)
        assert time.monotonic() - started < 6
        assert len(far.calls) == 6
        assert [told.attempts for told in desk.store.told_log] == [1, 2, 3, 4, 5, 6]
        assert desk.store.told_log[-1].error == f"the endpoint answered {status}"
        assert desk.teller.stats()["parked"] == 1


@pytest.mark.parametrize("status", [302, 400, 404, 410, 505])
async def test_the_no_retry_list_parks_at_once(desk, serve, reply, status: int) -> None:
    async with serve(reply(status)) as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.PARKED)
        assert len(far.calls) == 1


async def test_a_retry_that_succeeds_is_done(desk, serve) -> None:
    async def script(far, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % (200 if len(far.calls) > 2 else 503))

    async with serve(script) as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.DONE)
        assert [told.status for told in desk.store.told_log] == [503, 503, 200]


async def test_outside_the_fast_sandbox_the_first_retry_is_due_in_five_seconds(desk, serve, reply) -> None:
    desk.service = Service(id="s", sandbox=True, pace="real")
    async with serve(reply(503)) as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.until(lambda: bool(desk.store.told_log))
        told = desk.store.told_log[0]
        assert told.delivery is Delivery.PENDING
        assert 4500 <= told.due - told.at <= 5500


async def test_compatible_retries_are_due_in_a_minute(desk, serve, reply) -> None:
    desk.service = Service(id="s", sandbox=True, pace="real", notify=Notify(retries="compatible"))
    async with serve(reply(503)) as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.until(lambda: bool(desk.store.told_log))
        told = desk.store.told_log[0]
        assert told.due - told.at == 60_000


async def test_a_private_target_is_parked_with_a_clear_sentence(desk, serve) -> None:
    desk.service = Service(id="s")
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.PARKED)
        assert "refused_target: the host's address is loopback" in desk.store.told_log[0].error
        assert far.calls == []


async def test_a_tenant_may_allow_private_targets(desk, serve) -> None:
    desk.service = Service(id="s")
    desk.tenant = Tenant(id="t", allow_private_targets=True)
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.DONE)


async def test_a_bad_url_is_parked_at_once(desk) -> None:
    desk.start().offer(desk.notices("ftp://x", 1))
    await desk.all_are(Delivery.PARKED)
    assert desk.store.told_log[0].error.startswith("bad_url")


async def test_a_service_that_is_gone_parks_its_notices(desk, serve) -> None:
    desk.gone = True
    async with serve() as far:
        desk.start().offer(desk.notices(far, 1))
        await desk.all_are(Delivery.PARKED)
        assert desk.store.told_log[0].error == "the service no longer exists"


async def test_a_request_that_is_gone_parks_its_notices(desk, serve) -> None:
    async with serve() as far:
        notices = desk.notices(far, 1)
        desk.store.known.clear()
        desk.start().offer(notices)
        await desk.all_are(Delivery.PARKED)
        assert "no longer kept" in desk.store.told_log[0].error


async def test_a_hanging_endpoint_slows_no_other(desk, serve) -> None:
    async with serve(hang) as dead, serve() as healthy:
        teller = desk.start(timeout=5)
        teller.offer(desk.notices(dead, 1000))
        started = time.monotonic()
        teller.offer(desk.notices(healthy, 500))
        await desk.until(lambda: len(healthy.calls) == 500, 3)
        assert time.monotonic() - started < 2
        assert dead.most <= 2


async def test_many_hanging_endpoints_do_not_use_up_the_connections(desk, serve) -> None:
    async with serve(hang) as one, serve(hang) as two, serve(hang) as three, serve() as healthy:
        teller = desk.start(timeout=0.3, connections=4)
        for dead in (one, two, three):
            teller.offer(desk.notices(dead, 50))
        await asyncio.sleep(0.05)
        teller.offer(desk.notices(healthy, 100))
        await desk.until(lambda: len(healthy.calls) == 100, 3)


async def test_a_dead_endpoint_rests_and_is_not_tried_with_every_notice(desk, serve) -> None:
    async with serve(drop) as far:
        desk.service = Service(id="s", sandbox=True, pace="real")
        teller = desk.start()
        teller.offer(desk.notices(far, 500))
        await asyncio.sleep(0.7)
        assert 5 <= len(far.calls) < 12
        assert desk.standing(Delivery.PENDING) == 500
        assert teller.endpoints()[0]["rests_until"] > 0


async def test_after_its_rest_an_endpoint_that_answers_gets_everything(desk, serve) -> None:
    async def script(far, writer: asyncio.StreamWriter) -> None:
        if len(far.calls) <= 6:
            writer.close()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with serve(script) as far:
        teller = desk.start()
        teller.offer(desk.notices(far, 300))
        await asyncio.sleep(0.1)
        teller.offer(desk.notices(far, 300))  # while it rests
        await desk.all_are(Delivery.DONE, 10)
        assert len(far.calls) == 606


async def test_notices_older_than_their_ladder_are_parked_when_the_endpoint_rests(desk, serve) -> None:
    async with serve(drop) as far:
        desk.start().offer(desk.notices(far, 200, at=int(time.time() * 1000) - 60_000))
        await desk.all_are(Delivery.PARKED, 8)
        assert len(far.calls) < 60
        given_up = [told for told in desk.store.told_log if "given up: the endpoint does not answer" in told.error]
        assert len(given_up) > 150


async def test_waking_an_endpoint_ends_its_rest(desk, serve) -> None:
    async with serve(drop) as far:
        teller = desk.start(rest=30, longest_rest=60)
        desk.service = Service(id="s", sandbox=True, pace="real")
        teller.offer(desk.notices(far, 20))
        await desk.until(lambda: teller.endpoints()[0]["rests_until"] > 0)
        far.script = None
        teller.wake(far.origin)
        await desk.until(lambda: desk.standing(Delivery.DONE) >= 14)


async def test_stopping_finishes_what_is_under_way_and_leaves_the_rest_pending(desk, serve) -> None:
    async def slow(_: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with serve(slow) as far:
        teller = desk.start()
        teller.offer(desk.notices(far, 50))
        await desk.until(lambda: len(far.calls) == 2)
        await teller.stop(2)
        assert len(far.calls) == desk.standing(Delivery.DONE) == 2
        assert desk.standing(Delivery.PENDING) == 48


async def test_stopping_does_not_wait_longer_than_the_grace(desk, serve) -> None:
    async with serve(hang) as far:
        teller = desk.start()
        teller.offer(desk.notices(far, 5))
        await desk.until(lambda: len(far.calls) == 2)
        started = time.monotonic()
        await teller.stop(0.1)
        assert time.monotonic() - started < 1
        assert desk.standing(Delivery.PENDING) == 5


async def test_outcomes_wait_for_a_store_that_is_away(desk, serve, caplog) -> None:
    caplog.set_level(logging.CRITICAL)
    async with serve() as far:
        teller = desk.start()
        desk.store.broken = True
        teller.offer(desk.notices(far, 10))
        await asyncio.sleep(0.2)
        assert desk.standing(Delivery.DONE) == 0
        desk.store.broken = False
        await desk.all_are(Delivery.DONE)
        assert len(far.calls) == 10


async def test_idle_endpoints_are_forgotten(desk, serve) -> None:
    async with serve() as far:
        teller = desk.start(poll=0.02)
        teller.offer(desk.notices(far, 5))
        await desk.all_are(Delivery.DONE)
        await desk.until(lambda: not teller.endpoints())


async def test_secrets_are_in_no_log_and_no_error(desk, serve, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(drop) as far:
        teller = desk.start()
        teller.offer(desk.notices(far, 3))
        desk.client.request = None  # a fault of ours
        await desk.until(lambda: len(desk.store.told_log) >= 3)
        assert {told.error for told in desk.store.told_log} == {"internal error, see the log"}
    written = caplog.text + str(desk.store.told_log) + str(teller.endpoints())
    assert "hunter2" not in written
    assert "hush" not in written
