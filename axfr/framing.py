"""Messages in a TCP stream: each behind its length in two octets (RFC 1035 4.2.2)."""

from __future__ import annotations


def frame(message: bytes) -> bytes:
    """Return the message with its length in front."""
    return len(message).to_bytes(2, "big") + message


class Frames:
    """Cuts a stream, fed in chunks of any size, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the messages that are complete with ``chunk``, without their lengths."""
        buffer = self._buffer
        buffer += chunk
        messages = []
        position, size = 0, len(buffer)
        while position + 2 <= size:
            end = position + 2 + (buffer[position] << 8 | buffer[position + 1])
            if end > size:
                break
            messages.append(bytes(buffer[position + 2 : end]))
            position = end
        del buffer[:position]
        return messages
