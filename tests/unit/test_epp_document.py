"""Octets from strangers: frames, and XML that wants to do harm."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrar.epp.document import MAX_DEPTH, MAX_ELEMENTS, day, instant, number, parse
from registrar.epp.errors import SyntaxFault
from registrar.epp.framing import MAX_OCTETS, Frames, frame
from registrar.epp.markup import Markup, document, element, escaped
from registrar.epp.response import read_response

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>'


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.randoms())
def test_frames_in_any_pieces(documents: list[bytes], chance: random.Random) -> None:
    """Documents arrive whole and in order, however the octets were cut."""
    octets = b"".join(map(frame, documents))
    frames, found = Frames(), list[bytes]()
    while octets:
        cut = chance.randrange(1, len(octets) + 1)
        found += frames.feed(octets[:cut])
        octets = octets[cut:]
    assert found == documents
    assert not frames.partial


@pytest.mark.parametrize("total", [0, 1, 4, MAX_OCTETS + 1, 0xFFFFFFFF])
def test_impossible_length(total: int) -> None:
    """A length that no document can have is refused when it is seen, not waited for."""
    with pytest.raises(SyntaxFault, match=f"{total} octets"):
        Frames().feed(total.to_bytes(4, "big"))


BOMB = (
    b'<!DOCTYPE a [<!ENTITY x0 "xxxxxxxxxx">'
    + b"".join(b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><a>&x11;</a>"
)


@pytest.mark.parametrize(
    "octets",
    [
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/x">%p;]><a/>',
        b'<!DOCTYPE a [<!ATTLIST a b CDATA "default">]><a/>',
        b"<!DOCTYPE a><a/>",
    ],
    ids=["laughs", "external dtd", "external entity", "parameter entity", "default", "empty"],
)
def test_no_document_types(octets: bytes) -> None:
    """A document type declaration is refused whatever is in it, and at once."""
    started = time.perf_counter()
    with pytest.raises(SyntaxFault, match="document type"):
        parse(HEAD + octets)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"<a></b>", "not well-formed"),
        (b"<a>&undeclared;</a>", "not well-formed"),
        (b"<a x='1' x='2'/>", "not well-formed"),
        (b"<p:a/>", "not well-formed"),
        (b"\x00\xff", "not well-formed"),
        (b"<a>\x01</a>", "not well-formed"),
        (b"<a>" * (MAX_DEPTH + 1), "deep"),
        (b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>", "elements"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "encoding"),
    ],
)
def test_bad_xml(octets: bytes, told: str) -> None:
    """What is not XML, or too much of it, is refused with the reason."""
    with pytest.raises(SyntaxFault, match=told):
        parse(octets)


def test_utf_16() -> None:
    """UTF-16 is allowed too (RFC 5730 5)."""
    text = '<?xml version="1.0" encoding="UTF-16"?><a>Köln</a>'
    assert parse(text.encode("utf-16")).text == "Köln"


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    """Any octets are a response or a SyntaxFault."""
    with pytest.raises(SyntaxFault):
        read_response(octets)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_text_comes_through(text: str) -> None:
    """Text with any characters is content and attribute as it was, and never markup."""
    text = text.replace("\ufffe", "").replace("\uffff", "")
    root = parse(document(element("a", text, b=text)))
    assert root[0].text or text == "", text
    assert (root[0].text or "") == text
    assert root[0].get("b") == text
    assert len(root[0]) == 0


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\ud800"])
def test_characters_that_xml_has_not(character: str) -> None:
    """What XML cannot say is not sent."""
    with pytest.raises(SyntaxFault, match=f"U\\+{ord(character):04X}"):
        escaped(f"a{character}b")


def test_markup_is_not_escaped_twice() -> None:
    """What is markup stands as it is; what looks like it does not."""
    assert element("a", Markup("<b/>"), "<b/>") == "<a><b/>&lt;b/&gt;</a>"


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "٣", "9" * 30])
def test_numbers(text: str) -> None:
    """What is not a number of the schemas is refused."""
    with pytest.raises(SyntaxFault):
        number(text)


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T09:30:00Z", "2026-03-02T09:30:00.0Z", "2026-03-02T10:30:00.000+01:00",
     "2026-03-02T09:30:00"],
)  # fmt: skip
def test_instants(text: str) -> None:
    """Moments are read in all spellings of XML, as UTC."""
    assert instant(text).isoformat() == "2026-03-02T09:30:00+00:00"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30"])
def test_no_instants(text: str) -> None:
    """What is no moment, and no day, is refused."""
    with pytest.raises(SyntaxFault):
        instant(text)
    with pytest.raises(SyntaxFault):
        day(text)
