"""How a registry says no: the result codes of RFC 5730 section 3."""

from __future__ import annotations

from typing import Final

from registrar.connector import Refused, RegistryReason

MISSING: Final = 2003
OUT_OF_RANGE: Final = 2004
SYNTAX: Final = 2005
UNIMPLEMENTED_COMMAND: Final = 2101
UNIMPLEMENTED_OPTION: Final = 2102
NOT_RENEWABLE: Final = 2105
NOT_TRANSFERABLE: Final = 2106
NOT_AUTHORISED: Final = 2201
WRONG_AUTH: Final = 2202
TRANSFER_PENDING: Final = 2300
NO_TRANSFER_PENDING: Final = 2301
EXISTS: Final = 2302
ABSENT: Final = 2303
STATUS: Final = 2304
ASSOCIATED: Final = 2305
POLICY: Final = 2306

TEXTS: Final = {
    1000: "Command completed successfully",
    1001: "Command completed successfully; action pending",
    1300: "Command completed successfully; no messages",
    1301: "Command completed successfully; ack to dequeue",
    1500: "Command completed successfully; ending session",
    2000: "Unknown command",
    2001: "Command syntax error",
    2002: "Command use error",
    2003: "Required parameter missing",
    2004: "Parameter value range error",
    2005: "Parameter value syntax error",
    2100: "Unimplemented protocol version",
    2101: "Unimplemented command",
    2102: "Unimplemented option",
    2103: "Unimplemented extension",
    2104: "Billing failure",
    2105: "Object is not eligible for renewal",
    2106: "Object is not eligible for transfer",
    2200: "Authentication error",
    2201: "Authorization error",
    2202: "Invalid authorization information",
    2300: "Object pending transfer",
    2301: "Object not pending transfer",
    2302: "Object exists",
    2303: "Object does not exist",
    2304: "Object status prohibits operation",
    2305: "Object association prohibits operation",
    2306: "Parameter value policy error",
    2307: "Unimplemented object service",
    2308: "Data management policy violation",
    2400: "Command failed",
    2500: "Command failed; server closing connection",
    2501: "Authentication error; server closing connection",
    2502: "Session limit exceeded; server closing connection",
}


class Refusal(Exception):
    """A command is not carried out; raised before anything has been changed."""

    def __init__(self, code: int, explanation: str = "", value: str | None = None) -> None:
        super().__init__(explanation)
        self.code = code
        self.explanation = explanation
        self.value = value

    def outcome(self, server_trid: str) -> Refused:
        """Return the refusal as an outcome."""
        text = TEXTS[self.code]
        if self.explanation:
            text = f"{text}: {self.explanation}"
        return Refused((RegistryReason(self.code, text, self.value),), server_trid)
