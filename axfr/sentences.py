"""What went wrong on the way to a primary, as a whole sentence for its owner.

The log has the reason alone, beside the zone, the primary and what was tried; here all of that
stands in one sentence. Reasons of zone content are sentences already.
"""

from __future__ import annotations

from typing import Final

# Rule -> the sentence around a reason.
FRAMES: Final = {
    "unreachable": "Our server could not reach the primary at {peer} over TCP: {reason}.",
    "timeout": "Our server asked the primary at {peer} several times and got no answer: {reason}.",
    "no-primary": "There is nobody to ask for {zone}: no primary is entered.",
    "primary-suspended": "Our server does not ask the primary at {peer}: {reason}.",
    "source-address": "Our server could not ask the primary at {peer}: {reason}.",
    "tls-own-certificate": (
        "The primary at {peer} wants to know our server by a certificate: {reason}."
    ),
    "refused-by-primary": "Our server asked the primary at {peer} for {zone}, and {reason}.",
    "primary-failed": "Our server asked the primary at {peer} for {zone}, and {reason}.",
    "primary-not-authoritative": (
        "Our server asked the primary at {peer} for {zone}, and did not get it: {reason}."
    ),
    "malformed": (
        "Our server asked the primary at {peer} for {zone}, and what came back is not a proper"
        " answer: {reason}."
    ),
    "empty-answer": "Our server asked the primary at {peer} for {zone}: {reason}.",
    "cut-short": (
        "The primary at {peer} began to send {zone} and did not get to the end: {reason}."
    ),
    "soa-changed-midway": "While the primary at {peer} was sending {zone}, it changed: {reason}.",
    "tsig-missing": ("The answer of the primary at {peer} cannot be trusted: {reason}."),
    "tsig-wrong": (
        "The primary at {peer} and our server do not use the same key for {zone}: {reason}."
    ),
    "tsig-time": (
        "The clocks of the primary at {peer} and of our server differ by more than the few minutes"
        " that signed messages allow: {reason}."
    ),
    "key-unusable": "The primary at {peer} is to be asked with a key, but {reason}.",
    "too-large": "The primary at {peer} sends more of {zone} than is allowed: {reason}.",
    "too-many-records": "The primary at {peer} sends more of {zone} than is allowed: {reason}.",
    "too-slow": "The primary at {peer} did not finish sending {zone} in time: {reason}.",
    "too-frequent": "Our server leaves the primary at {peer} alone with {zone} for now: {reason}.",
    "serial-went-back": (
        "At {peer}, {reason}. A secondary takes a zone over only when its serial number has risen."
    ),
}


def whole_sentence(rule: str, reason: str, peer: str, zone: str) -> str:
    """Return what to tell of a failure; of zone content the reason as it is."""
    frame = FRAMES.get(rule)
    if frame is None or not reason:
        return reason
    reason = reason.removeprefix("no connection: ").removesuffix(".")
    return frame.format(peer=peer or "no address", zone=zone, reason=_lowered(reason))


def _lowered(text: str) -> str:
    """Return a phrase as it stands within a sentence; abbreviations stay as they are."""
    first = text.split(maxsplit=1)[0] if text.split() else ""
    return text if not first[1:].islower() else text[0].lower() + text[1:]
