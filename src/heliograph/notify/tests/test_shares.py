"""Of several processes one tells an endpoint, and nothing is told twice when it goes from one to another."""

import asyncio

from heliograph.model.record import Delivery


async def test_an_endpoint_that_is_another_s_is_not_told(desk, serve) -> None:
    async with serve() as ours, serve() as theirs:
        desk.others = {theirs.origin}
        teller = desk.start()
        desk.notices(theirs, 3)
        teller.offer(teller.shares.fresh([*desk.notices(theirs, 1), *desk.notices(ours, 2)]))
        await desk.until(lambda: desk.standing(Delivery.DONE) == 2)
        await asyncio.sleep(0.15)  # some looks at the table

        assert (len(ours.calls), len(theirs.calls)) == (2, 0)


async def test_an_endpoint_that_comes_to_us_is_found_in_the_table(desk, serve) -> None:
    async with serve() as far:
        desk.others = {far.origin}
        teller = desk.start(poll=60)
        desk.notices(far, 3)
        await asyncio.sleep(0.05)
        desk.others.clear()
        teller.look()
        await desk.all_are(Delivery.DONE)

        assert len(far.calls) == 3


async def test_what_is_under_way_ends_before_an_endpoint_goes_and_what_waits_is_left(desk, serve) -> None:
    going = asyncio.Event()

    async def slow(far, writer) -> None:
        await going.wait()
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n")

    async with serve(slow) as far:
        desk.others = set()
        teller = desk.start(lanes=1)
        teller.offer(desk.notices(far, 5))
        await desk.until(lambda: len(far.calls) == 1)
        desk.others.add(far.origin)
        leaving = asyncio.create_task(teller.shares.left(5))
        await asyncio.sleep(0.1)
        assert not leaving.done()
        going.set()
        await asyncio.wait_for(leaving, 2)
        await asyncio.sleep(0.15)

        assert len(far.calls) == 1
        assert desk.standing(Delivery.DONE) == 1
        assert desk.standing(Delivery.PENDING) == 4


async def test_the_word_of_another_process_that_comes_late_tells_nobody_twice(desk, serve) -> None:
    async with serve() as far:
        desk.others = set()
        teller = desk.start()
        notices = desk.notices(far, 2)
        await desk.all_are(Delivery.DONE)
        teller.offer(teller.shares.fresh(notices))
        await asyncio.sleep(0.15)

        assert len(far.calls) == 2
