"""Mutated streams of frames against the threads that serve TCP connections.

A stream is framed messages (RFC 1035 4.2.2), several, many or hundreds of tiny ones, cut and joined
anywhere, with lengths that lie and half a frame at its end; the client sends it in pieces of any size
and reads now, later, or hardly. What has to come back is known from the octets alone: the answers
to the whole frames, in order, up to one that ends the connection or goes to Python with everything
behind it. Nothing may be missing, doubled, out of order, or take longer than ``PATIENCE``.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nameserver._answer import AnswerSettingsCompiled, CompiledTable
from nameserver._streams import HandedStream, Streams
from nameserver.cookies import Client
from nameserver.respond import AnswerSettings, Transport
from nameserver.tcp import bind_stream
from tests import random_zones
from tests.fuzz.messages import batch
from tests.fuzz.mutations import flipped
from tests.random_zones import Universe

# Without secrets: what a cookie is answered with depends on the second.
SETTINGS: Final = AnswerSettings(identity="ns1.example.org", keepalive=100)
LENGTH: Final = struct.Struct("!H")
AT_ONCE: Final = 16  # connections
PER_TABLE: Final = 25  # times so many
PATIENCE: Final = 60.0  # seconds without anything happening
TINY: Final = 17  # octets: a question for the root
SMALL_BUFFER: Final = 4096
PLENTY: Final = 1 << 26
LITTLE: Final = 30_000  # octets that a worker may keep: the slowest lose their connection


def framed(packets: Sequence[bytes]) -> bytes:
    """Return messages, each behind its length."""
    return b"".join(LENGTH.pack(len(packet)) + packet for packet in packets)


def unframed(octets: bytes) -> list[bytes]:
    """Return the messages that are whole."""
    found, at = [], 0
    while len(octets) - at >= LENGTH.size:
        end = at + LENGTH.size + LENGTH.unpack_from(octets, at)[0]
        if end > len(octets):
            break
        found.append(octets[at + LENGTH.size : end])
        at = end
    return found


@dataclass(frozen=True)
class Pool:
    """Messages of one table: those that are answered, tiny ones among them, and all others."""

    answered: list[bytes]
    tiny: list[bytes]
    others: list[bytes]

    @classmethod
    def of(cls, rng: random.Random, universe: Universe, table: CompiledTable) -> Pool:
        """Return messages of all kinds."""
        packets = batch(rng, universe, Client(bytes(4), 0))
        packets += [struct.pack("!6H", number, 0, 0, 0, 0, 0) for number in range(10)]
        packets += [
            struct.pack("!6HBHH", n, 0, 1, 0, 0, 0, 0, rng.randrange(260), 1) for n in range(9)
        ]
        answers = table.respond_many(packets, Transport.TCP, SETTINGS)
        both = list(zip(packets, answers, strict=True))
        answered = [packet for packet, answer in both if isinstance(answer, bytes)]
        others = [packet for packet, answer in both if not isinstance(answer, bytes)]
        return cls(answered, [packet for packet in answered if len(packet) <= TINY], others)

    def stream(self, rng: random.Random) -> bytes:
        """Return the octets that a client sends."""
        from_tiny = rng.random() < 0.1
        count = rng.choice((100, 500, 2000)) if from_tiny else rng.choice((1, 2, 5, 20, 60, 200))
        packets = rng.choices(self.tiny if from_tiny else self.answered, k=count)
        if rng.random() < 0.3:
            packets.insert(rng.randrange(count // 2, count + 1), rng.choice(self.others))
        octets = framed(packets)
        match rng.randrange(6):
            case 0:
                octets = octets[: rng.randrange(len(octets))]
            case 1:
                octets += LENGTH.pack(rng.choice((0, 1, 11, 600, 65535))) + rng.randbytes(5)
            case 2:
                where = rng.randrange(len(octets))
                octets = octets[:where] + flipped(rng, octets[where : where + 40], packets)
        return octets


class Conversation:
    """One client: what it sends, how, and what has to come of it."""

    def __init__(self, rng: random.Random, octets: bytes, table: CompiledTable, port: int) -> None:
        frames = unframed(octets)
        answers = table.respond_many(frames, Transport.TCP, SETTINGS)
        self.frames = len(frames)
        self.octets = octets
        whole = [answer for answer in answers if isinstance(answer, bytes)]
        first = next((n for n, a in enumerate(answers) if not isinstance(a, bytes)), len(answers))
        self.expected = framed(whole[:first])
        is_handed = first < len(answers) and answers[first] is not None
        self.rest = octets[len(framed(frames[:first])) :] if is_handed else None
        self.is_cut_off = first < len(answers) and not is_handed
        self.received = bytearray()
        self.left = bytearray()  # what Python got of it
        self.done = False
        self._rng = rng
        self._at = 0
        self._reads_late = rng.random() < 0.3
        self._piece = rng.choice((1, 3, 40, 700, 20_000, 1 << 20)) if len(octets) < 4000 else 9000
        self._handed: socket.socket | None = None
        self._client = socket.socket()
        if rng.random() < 0.3:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.connect(("127.0.0.1", port))
        self._client.setblocking(False)
        self.port: int = self._client.getsockname()[1]
        if not octets:
            self._finish()

    def take_over(self, handed: HandedStream) -> None:
        """Go on as Python does with a connection that was left to it."""
        self.received += handed.unsent
        self.left += handed.unread
        self._handed = socket.socket(fileno=handed.detach())
        self._handed.setblocking(False)
        handed.leave()

    def step(self) -> bool:
        """Send and read a little; tell whether there was anything to do."""
        moved = self._send()
        if self._handed is not None and _read(self._handed, self.left, 1 << 16) is not None:
            moved = True
        if self._reads_late and self._at < len(self.octets) and moved:
            return True
        read = _read(self._client, self.received, self._rng.choice((1, 500, 1 << 16)))
        if read == 0:
            self.done = True
        return moved or read is not None

    def _send(self) -> bool:
        if self._at == len(self.octets):
            return False
        end = min(self._at + self._rng.randint(1, self._piece), len(self.octets))
        try:
            self._at += self._client.send(self.octets[self._at : end])
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):  # it was ended from the other side
            self._at = len(self.octets)
        if self._at == len(self.octets):
            self._finish()
        return True

    def _finish(self) -> None:
        try:
            self._client.shutdown(socket.SHUT_WR)
        except OSError:  # the same
            return

    @property
    def sockets(self) -> list[socket.socket]:
        """Return what it waits for."""
        return [self._client, *([self._handed] if self._handed else [])]

    def is_complete(self) -> bool:
        """Tell whether nothing more is to come, and close."""
        if self._handed is not None and not self.done and len(self.left) >= len(self.rest or b""):
            self._handed.close()
            self._handed = None
        return self.done

    def close(self) -> None:
        """Close the sockets."""
        for one in self.sockets:
            one.close()

    def complaint(self, *, may_end_early: bool) -> str:
        """Return what is wrong, nothing where all is right."""
        # Whoever sends what no client would is hung up on, and gets what TCP still delivers.
        if (may_end_early or self.is_cut_off) and self.expected.startswith(self.received):
            return ""
        if self.received != self.expected:
            return f"{len(self.received)} octets came, not {len(self.expected)}"
        if self.rest is not None and self.left != self.rest:
            return f"Python got {len(self.left)} octets, not {len(self.rest)}"
        return ""


def _read(source: socket.socket, into: bytearray, most: int) -> int | None:
    """Read once; return how much that was, 0 at the end, ``None`` where there is nothing yet."""
    try:
        octets = source.recv(most)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return 0
    into += octets
    return len(octets)


def converse(conversations: list[Conversation], streams: Streams) -> str:
    """Let them all come to their ends; return a complaint about those that do not."""
    by_port = {one.port: one for one in conversations}
    waiting = list(conversations)
    last = time.monotonic()
    while waiting:
        for handed in streams.take():
            by_port[handed.port].take_over(handed)
        moved = [one.step() for one in waiting]
        waiting = [one for one in waiting if not one.is_complete()]
        if any(moved):
            last = time.monotonic()
        elif time.monotonic() - last > PATIENCE:
            return f"{len(waiting)} connections hang"
        else:
            watched = [own.fileno() for one in waiting for own in one.sockets]
            select.select([*watched, streams.fileno()], [], [], 0.01)
    return ""


def fuzz_streams(rng: random.Random, wanted: int) -> Iterator[tuple[int, str]]:
    """Send so many frames; yield after each table how many that were, and a complaint."""
    sent = 0
    while sent < wanted:
        count, found = fuzz_table(random.Random(rng.getrandbits(64)))
        sent += count
        yield count, found


def fuzz_table(rng: random.Random) -> tuple[int, str]:
    """Serve random zones to many connections; return the number of frames, and a complaint."""
    universe = Universe(rng)
    table = CompiledTable()
    for zone in random_zones.served_zones(rng, universe):
        table.replace(zone)
    pool = Pool.of(rng, universe, table)
    held = rng.choice((PLENTY, PLENTY, PLENTY, LITTLE))
    listener = bind_stream("127.0.0.1", 0)
    listener.listen(AT_ONCE)
    listener.setblocking(False)
    streams = Streams(
        table, AnswerSettingsCompiled(SETTINGS), [[listener.fileno()]],
        connections=1000, per_client=1000, idle=PATIENCE, held=held,
    )  # fmt: skip
    streams.start()
    frames = 0
    try:
        for _ in range(PER_TABLE):
            octets = [pool.stream(rng) for _ in range(AT_ONCE)]
            port = listener.getsockname()[1]
            talks = [Conversation(rng, one, table, port) for one in octets]
            found = converse(talks, streams)
            frames += sum(one.frames for one in talks)
            for one in talks:
                wrong = found or one.complaint(may_end_early=held == LITTLE)
                one.close()
                if wrong:
                    return frames, f"{wrong}\nstream {one.octets.hex()}"
    finally:
        streams.stop()
        listener.close()
    return frames, ""
