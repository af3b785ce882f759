"""The shell that sends NOTIFY: real datagrams on loopback."""

from __future__ import annotations

import asyncio
from typing import cast

import dns.message
import dns.opcode

from axfr.notifier import Notifier
from axfr.notify import NotifyTarget, parse_notify
from tests.zone_content import content


class Listener(asyncio.DatagramProtocol):
    """A secondary that answers NOTIFY from the ``deaf``-th datagram on."""

    def __init__(self, deaf: int) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.deaf = deaf
        self.heard = 0
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go through."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a NOTIFY."""
        self.received.put_nowait(data)
        self.heard += 1
        if self.heard > self.deaf:
            assert self.transport is not None
            self.transport.sendto(parse_notify(data).answer(0), addr)


async def test_notify_reaches_its_target_and_is_repeated_until_answered() -> None:
    """A target that misses the first datagram gets another, and none after it has answered."""
    loop = asyncio.get_running_loop()
    transport, listener = await loop.create_datagram_endpoint(
        lambda: Listener(deaf=1), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    notifier = Notifier(source="127.0.0.1", source6="::1")
    await notifier.start()
    try:
        notifier.notify(content("example.org", serial=4), [NotifyTarget("127.0.0.1", port)])
        async with asyncio.timeout(5):
            message = dns.message.from_wire(await listener.received.get())
            await listener.received.get()
        assert message.opcode() == dns.opcode.NOTIFY
        assert message.answer[0][0].serial == 4
        async with asyncio.timeout(5):
            while notifier._sender.next_timer() is not None:  # noqa: ASYNC110 (set by a datagram)
                await asyncio.sleep(0.02)
    finally:
        await notifier.stop()
        transport.close()
