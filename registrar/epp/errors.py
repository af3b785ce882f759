"""What can go wrong between us and a registry, other than being refused."""

from __future__ import annotations

from registrar.errors import RegistrarError


class EppError(RegistrarError):
    """A registry that speaks EPP gave no usable answer."""


class NotExpressible(EppError):
    """EPP has no words for a command: it was not sent, and never can be over this account."""


class SyntaxFault(EppError):
    """What arrived is not EPP: not XML, XML of a forbidden kind, or not by the schema."""


class SessionFault(EppError):
    """What arrived is EPP at the wrong moment: another command's reply, a greeting amid replies."""


class Unreachable(EppError):
    """No session could be opened, or it broke before a command was sent: nothing was done."""


class LoginRefused(EppError):
    """The registry does not let us in; ``code`` is its result code (RFC 5730 section 3)."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


class ReplyLost(EppError):
    """A command was sent and the session broke before its reply: it may have been carried out."""


class OutcomeUnknown(EppError):
    """A reply was lost and ``info`` could not tell, yet, what became of the command ``trid``.

    The journal keeps the command open: ``perform`` with the same ``trid`` looks again.
    """

    def __init__(self, reason: str, trid: str) -> None:
        super().__init__(reason)
        self.trid = trid
