"""Names as folded wire octets."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given

from tests.strategies import names
from zones import name
from zones.name import BadName


def of(text: str) -> name.Name:
    """Return the absolute name of a text."""
    return name.from_text(text)


def test_wire_form() -> None:
    """A name is length-prefixed labels closed by the root, in lower case."""
    assert of("WWW.Example.ORG.") == b"\x03www\x07example\x03org\x00"
    assert of(".") == name.ROOT


def test_relative_text_is_below_the_origin() -> None:
    """Without a final dot the origin is added; ``@`` is the origin itself."""
    origin = of("example.org.")
    assert name.from_text("www", origin) == of("www.example.org.")
    assert name.from_text("@", origin) == origin
    assert name.from_text("www.", origin) == of("www.")


def test_u_labels_become_a_labels() -> None:
    """A U-label is stored as its A-label (IDNA 2008)."""
    assert name.display(of("bücher.example.")) == "xn--bcher-kva.example"


@pytest.mark.parametrize("text", ["a..b.", "x" * 64 + ".", ".".join(["abcdefg"] * 33), "\\256."])
def test_what_is_no_name(text: str) -> None:
    """An empty label, one over 63 octets, a name over 255 and a bad escape are refused."""
    with pytest.raises(BadName, match="is not a domain name"):
        name.from_text(text)


@given(names)
def test_text_round_trip(wire: name.Name) -> None:
    """Any octets in labels survive presentation form."""
    assert name.from_text(name.to_text(wire)) == wire


@given(names)
def test_labels_round_trip(wire: name.Name) -> None:
    """A name is its labels."""
    assert name.from_labels(name.labels(wire)) == wire
    assert name.label_count(wire) == len(name.labels(wire))


@given(names)
def test_ancestors_end_at_the_root(wire: name.Name) -> None:
    """Each ancestor is the parent of the one before, down to the root."""
    chain = list(name.ancestors(wire))
    assert chain[0] == wire
    assert chain[-1] == name.ROOT
    assert [name.parent(one) for one in chain] == [*chain[1:], name.ROOT]
    assert all(name.is_subdomain(wire, one) for one in chain)


def test_subdomain_looks_at_whole_labels() -> None:
    """Octets that merely end alike are no subdomain, at a label's edge or within it."""
    assert name.is_subdomain(of("a.example.org."), of("example.org."))
    assert not name.is_subdomain(of("notexample.org."), of("example.org."))
    assert not name.is_subdomain(of("org."), of("example.org."))
    # One label whose octets are those of two labels.
    assert not name.is_subdomain(name.from_labels([b"x\x03org"]), of("org."))


@given(names, names)
def test_canonical_order_is_that_of_dnspython(first: name.Name, second: name.Name) -> None:
    """The order of RFC 4034 6.1, as another implementation has it."""
    ours = name.canonical_key(first) < name.canonical_key(second)
    assert ours == (dns.name.from_wire(first, 0)[0] < dns.name.from_wire(second, 0)[0])


def test_canonical_order_of_the_rfc() -> None:
    """The example of RFC 4034 6.1 stands in its order."""
    texts = [
        "example.",
        "a.example.",
        "yljkjljk.a.example.",
        "Z.a.example.",
        "zABC.a.EXAMPLE.",
        "z.example.",
        "\\001.z.example.",
        "*.z.example.",
        "\\200.z.example.",
    ]
    wires = [of(text) for text in texts]
    shuffled = wires[::-1]
    assert sorted(shuffled, key=name.canonical_key) == wires


def test_wildcard_is_a_lone_asterisk_in_front() -> None:
    """Only a first label of one asterisk makes a wildcard (RFC 4592 2.1.1)."""
    assert name.is_wildcard(of("*.example.org."))
    assert not name.is_wildcard(of("a.*.example.org."))
    assert not name.is_wildcard(of("**.example.org."))


def test_below_refuses_what_gets_too_long() -> None:
    """A label put in front must keep the limits of RFC 1035 2.3.4."""
    assert name.below(b"*", of("example.org.")) == of("*.example.org.")
    with pytest.raises(BadName):
        name.below(b"x" * 64, name.ROOT)
    longest = name.from_labels([b"x" * 63] * 3 + [b"y" * 61])
    assert len(longest) == name.MAX_LENGTH
    with pytest.raises(BadName):
        name.below(b"a", longest)


def test_the_likeliest_name_is_offered() -> None:
    """A slip of the fingers is recognised; something else altogether is not."""
    known = [of("example.org."), of("example.net.")]
    assert name.did_you_mean(of("example.ogr."), known) == "; did you mean example.org?"
    assert name.did_you_mean(of("zzz."), known) == ""
