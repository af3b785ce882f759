"""AXFR from the server's side: what it writes, dnspython and our own client read."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.xfr
import dns.zone
import pytest

from axfr import tsig
from axfr.inbound import InboundTransfer
from axfr.message import HEADER, NOTAUTH
from axfr.outbound import (
    TransferQuery,
    error_answer,
    parse_transfer_query,
    soa_only,
    transfer_messages,
)
from tests.zone_content import content
from zones.errors import WireError
from zones.name import from_text
from zones.rrset import TXT, A, RRset
from zones.secondary import TsigKey
from zones.version import ZoneVersion

NOW = 1_700_000_000.0
APEX = from_text("example.org")
KEY = TsigKey(from_text("transfer.example"), "hmac-sha256", b"a secret of many octets")


def query(qtype: str = "AXFR", serial: int | None = None) -> TransferQuery:
    """Return a request as dnspython writes it."""
    message = dns.message.make_query("Example.ORG.", qtype)
    message.id = 9
    if serial is not None:
        soa = f". . {serial} 0 0 0 0"
        message.authority = [dns.rrset.from_text("example.org.", 0, "IN", "SOA", soa)]
    return parse_transfer_query(message.to_wire())


def round_trip(version: ZoneVersion, key: TsigKey | None = None) -> tuple[bytes, int]:
    """Return the blob that our client makes of our transfer, and the number of messages."""
    inbound = InboundTransfer(version.apex, query_id=9, key=key)
    request = inbound.request(NOW)
    verified = tsig.verify(request, {KEY.name: KEY}, NOW)
    asked = parse_transfer_query(verified.message if verified else request)
    signer = verified.signer() if verified else None
    done = [
        inbound.receive(message, NOW)
        for message in transfer_messages(version, asked, signer=signer, now=NOW)
    ]
    assert done == [False] * (len(done) - 1) + [True]
    return inbound.finish().blob, len(done)


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
@pytest.mark.parametrize("hosts", [0, 1, 20_000])
def test_round_trip(hosts: int, key: TsigKey | None) -> None:
    """What goes out by AXFR comes in unchanged, signed or not, in one message or several."""
    version = content("example.org", serial=7, hosts=hosts)
    blob, count = round_trip(version, key)
    assert blob == version.blob
    assert (count > 1) == (hosts > 1)


def test_the_root_and_large_sets() -> None:
    """The root zone and RRsets of many or large records survive the journey."""
    root = content(".", hosts=2)
    assert round_trip(root)[0] == root.blob
    sets = [
        RRset.of(
            from_text("many.example.org"),
            A,
            5,
            [bytes((10, 0, n >> 8, n & 255)) for n in range(3000)],
        ),
        RRset.of(
            from_text("large.example.org"),
            TXT,
            5,
            [bytes((n,)) + b"\xff" + b"x" * 60_000 for n in (1, 2)],
        ),
    ]
    version = ZoneVersion.of(APEX, [*content("example.org"), *sets])
    assert round_trip(version)[0] == version.blob


def test_dnspython_reads_it() -> None:
    """Dnspython's own transfer code accepts the messages and finds the same records."""
    version = content("example.org", serial=7, hosts=5000)
    zone = dns.zone.Zone("example.org.")
    with dns.xfr.Inbound(zone, dns.rdatatype.AXFR) as inbound:
        for wire in transfer_messages(version, query()):
            done = inbound.process_message(
                dns.message.from_wire(wire, xfr=True, origin=zone.origin)
            )
    assert done
    assert sum(len(rdataset) for _, rdataset in zone.iterate_rdatasets()) == version.record_count


def test_messages_repeat_the_question_in_its_case() -> None:
    """Id, question and AA are those that the client expects."""
    wire = next(transfer_messages(content("example.org"), query()))
    message = dns.message.from_wire(wire)
    assert (message.id, message.flags) == (9, 0x8400)
    assert str(message.question[0].name) == "Example.ORG."


def test_ixfr_request_of_a_current_client() -> None:
    """A client of IXFR that is up to date gets the SOA alone (RFC 1995 2)."""
    version = content("example.org", serial=7)
    (answer,) = transfer_messages(version, query("IXFR", serial=7))
    assert [r.rdtype for r in dns.message.from_wire(answer).answer] == [dns.rdatatype.SOA]
    assert answer == soa_only(version, query("IXFR", serial=7))


def test_ixfr_request_of_an_older_client() -> None:
    """A client of IXFR that is behind gets the whole zone (RFC 1995 4)."""
    version = content("example.org", serial=7, hosts=3)
    (answer,) = transfer_messages(version, query("IXFR", serial=6))
    assert HEADER.unpack_from(answer)[3] == version.record_count + 1


def test_refusal_answers() -> None:
    """A refused client gets the rcode and its question back."""
    message = dns.message.from_wire(error_answer(query(), NOTAUTH))
    assert message.rcode() == dns.rcode.NOTAUTH
    assert not message.answer


@pytest.mark.parametrize("qtype", ["SOA", "ANY"])
def test_other_queries_are_no_transfers(qtype: str) -> None:
    """Only AXFR and IXFR ask for a zone; IXFR needs the client's SOA."""
    with pytest.raises(WireError):
        query(qtype)
    with pytest.raises(WireError, match="client's SOA"):
        query("IXFR")
