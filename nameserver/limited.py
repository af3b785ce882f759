"""What becomes of a datagram's answer where responses are limited: see ``nameserver.rrl``."""

from __future__ import annotations

import time

from nameserver.answer import Kind
from nameserver.cookies import Client, Verdict
from nameserver.counters import Counters
from nameserver.respond import AnswerSettings, Response, brief_response
from nameserver.rrl import Action, Limiter, RateLimits


class LimitedAnswers:
    """Sends, drops or shortens answers to datagrams, and counts what it did."""

    def __init__(self, limits: RateLimits, counters: Counters) -> None:
        self._limiter = Limiter(limits)
        self._counters = counters

    def judge(
        self, response: Response, query: bytes, settings: AnswerSettings, client: Client
    ) -> bytes | None:
        """Return what is sent, ``None`` for nothing; who has a valid cookie is never limited."""
        if response.cookie is Verdict.VALID:
            return response.message
        now = time.monotonic_ns() // 1_000_000
        match self._limiter.judge(client.address, response.kind, response.subject, now):
            case Action.SEND:
                return response.message
            case Action.DROP:
                self._counters.count("rrl.dropped")
                return None
        self._counters.count("rrl.slipped")
        if response.kind is Kind.FAILURE:  # it has no records anyway
            return response.message
        badcookie = self._limiter.limits.badcookie
        return brief_response(query, settings, client, badcookie=badcookie)
