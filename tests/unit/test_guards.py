"""Guards: what holds a valid version back, and what does not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.zone_content import content
from zones import guard_rules, packing
from zones.finding import Severity
from zones.guards import OFF, GuardSettings, guard
from zones.keys import digest, key_tag
from zones.losses import Losses, losses
from zones.name import Name, from_text
from zones.rdata import from_text as rdata
from zones.rdata import type_from_text
from zones.rrset import DNSKEY, NSEC, NSEC3, RRSIG, RRset
from zones.version import ZoneVersion

APEX = from_text("example.org")
DEFAULT = GuardSettings()
SOA = "@ SOA ns1.example.net. hostmaster.example.net. {} 3600 600 86400 300"
BASE = [
    SOA.format(1),
    "@ NS ns1.example.net.",
    "@ NS ns2.example.net.",
    "@ MX 10 mail.example.net.",
]


def version(*lines: str) -> ZoneVersion:
    """Return a version of these records: owner, type, rdata."""
    sets: dict[tuple[Name, int, int], list[bytes]] = {}
    for line in lines:
        owner, kind, text = line.split(maxsplit=2)
        rtype = type_from_text(kind)
        octets = rdata(rtype, text, APEX)
        covers = int.from_bytes(octets[:2], "big") if rtype == RRSIG else 0
        name = APEX if owner == "@" else from_text(owner, APEX)
        sets.setdefault((name, rtype, covers), []).append(octets)
    rrsets = [RRset.of(owner, rtype, 300, found) for (owner, rtype, _), found in sets.items()]
    return ZoneVersion.of(APEX, rrsets)


def hosts(count: int, start: int = 0) -> list[str]:
    """Return the lines of so many hosts."""
    return [f"h{number} A 192.0.2.{number % 250}" for number in range(start, start + count)]


def rules(old: ZoneVersion, new: ZoneVersion, settings: GuardSettings = DEFAULT) -> list[str]:
    """Return the rules that hold ``new`` back; each finding has words and a remedy."""
    found = guard(old, new, settings)
    for finding in found:
        assert finding.severity is Severity.HOLD
        assert finding.rule in guard_rules.RULES
        assert finding.sentence.endswith(".")
        assert finding.fix
    return [finding.rule for finding in found]


def test_an_ordinary_change_is_not_held() -> None:
    """Adding, changing and removing a few records is what zones are for."""
    old = version(*BASE, *hosts(20))
    new = version(*BASE[1:], SOA.format(2), *hosts(16), "www A 192.0.2.1")
    assert rules(old, new) == []


def test_half_of_the_names_lost() -> None:
    """More than half of the names missing holds a version, by names and by records."""
    old, new = version(*BASE, *hosts(20)), version(*BASE, *hosts(9))
    assert rules(old, new) == ["names-lost"]
    assert rules(old, new, replace(DEFAULT, names_lost=60)) == []
    assert rules(old, new, replace(DEFAULT, names_lost=0)) == []
    (finding,) = guard(old, new, DEFAULT)
    assert finding.sentence == (
        "11 of the 20 names below example.org in serial 1 are missing in serial 1. That is 55 %;"
        " up to 50 % may go."
    )


def test_small_zones_may_change() -> None:
    """Below ``at_least`` lost names a share means nothing."""
    old, new = version(*BASE, *hosts(5)), version(*BASE, *hosts(1))
    assert rules(old, new) == []
    assert rules(old, new, replace(DEFAULT, at_least=4)) == ["names-lost"]


def test_replaced_names_count_as_lost() -> None:
    """Other names in place of those there were: as many names, all of them other ones."""
    assert rules(version(*BASE, *hosts(20)), version(*BASE, *hosts(20, start=100))) == [
        "names-lost",
        "records-lost",
    ]


def test_records_lost_at_names_that_stay() -> None:
    """Records may go while every name stays."""
    many = [f"www TXT {number}" for number in range(20)]
    old, new = version(*BASE, *many), version(*BASE, *many[:2])
    assert rules(old, new) == ["records-lost"]
    assert rules(old, new, replace(DEFAULT, records_lost=90)) == []


def test_a_zone_of_the_apex_alone() -> None:
    """A zone that shrinks to its apex is held, however small it was."""
    old, new = version(*BASE, *hosts(1)), version(*BASE)
    assert rules(old, new) == ["zone-emptied"]
    assert rules(old, new, replace(DEFAULT, emptied=False)) == []
    assert rules(new, new) == []


def test_name_servers_replaced() -> None:
    """All name servers exchanged is held, one of two is not."""
    old = version(*BASE)
    one = version(BASE[0], "@ NS ns1.example.net.", "@ NS ns9.example.net.", BASE[3])
    none = version(BASE[0], "@ NS ns8.example.net.", "@ NS ns9.example.net.", BASE[3])
    assert rules(old, one) == []
    assert rules(old, none) == ["apex-ns-replaced"]
    assert rules(old, none, replace(DEFAULT, apex_ns=False)) == []


@pytest.mark.parametrize("left", [[], ["@ MX 0 ."]])
def test_mail_servers_gone(left: list[str]) -> None:
    """The last MX record gone is held, also where a null MX takes its place (RFC 7505)."""
    assert rules(version(*BASE), version(*BASE[:3], *left)) == ["apex-mx-gone"]
    assert rules(version(*BASE[:3], *left), version(*BASE[:3])) == []


KSK, OTHER_KSK, ZSK = ("257 3 13 " + "A" * 43 + "=", "257 3 13 " + "B" * 42 + "A=", "256 3 13 QQ==")


def signed(serial: int, *keys: str, signer: str = "") -> ZoneVersion:
    """Return a version with these keys, signed, as far as tags tell, by ``signer``."""
    tag = key_tag(rdata(DNSKEY, signer or keys[0]))
    signature = f"@ RRSIG DNSKEY 13 2 300 20300101000000 20200101000000 {tag} example.org. QUJD"
    return version(SOA.format(serial), *BASE[1:], *(f"@ DNSKEY {key}" for key in keys), signature)


def test_keys_gone_and_replaced() -> None:
    """No key left is held, and no key signing key left; a rollover step by step is not."""
    old = signed(1, KSK, ZSK)
    assert rules(old, version(*BASE)) == ["dnskey-gone"]
    assert rules(old, signed(2, OTHER_KSK, ZSK)) == ["ksk-replaced"]
    assert rules(old, signed(2, KSK, OTHER_KSK, ZSK)) == []
    assert rules(signed(2, KSK, OTHER_KSK), signed(3, OTHER_KSK)) == []
    assert rules(version(*BASE), signed(2, KSK)) == []


def test_ds_at_the_parent() -> None:
    """A DS record that fitted and fits no longer holds the version; one that fits lets it pass."""
    old, new = signed(1, KSK), signed(2, OTHER_KSK)
    old_ds, new_ds = (digest(APEX, rdata(DNSKEY, key)) for key in (KSK, OTHER_KSK))
    found = [finding.rule for finding in guard(old, new, DEFAULT, [old_ds])]
    assert found == ["ksk-replaced", "ds-broken"]
    assert guard(old, new, DEFAULT, [old_ds, new_ds]) == []
    assert guard(old, signed(2, KSK), DEFAULT, [old_ds]) == []
    # A DS record that never fitted says nothing about this change.
    assert guard(old, signed(2, KSK, ZSK), DEFAULT, [new_ds]) == []
    # The key is there, but has not signed.
    unsigned = signed(2, KSK, OTHER_KSK, signer=OTHER_KSK)
    assert [one.rule for one in guard(old, unsigned, DEFAULT, [old_ds])] == ["ds-broken"]


def test_serial_jumps() -> None:
    """A jump is held where a limit is set; without one none is."""
    old, new = version(SOA.format(1), *BASE[1:]), version(SOA.format(2026112201), *BASE[1:])
    assert rules(old, new) == []
    assert rules(old, new, replace(DEFAULT, serial_jump=1000)) == ["serial-jump"]
    assert rules(old, new, replace(DEFAULT, serial_jump=2**31)) == []


def test_all_guards_off() -> None:
    """Without guards nothing is held."""
    assert rules(signed(1, KSK, ZSK), version(SOA.format(9), "@ NS elsewhere.example."), OFF) == []


def test_few_changes_to_a_large_zone_are_not_counted() -> None:
    """Where fewer RRsets changed than could matter, the zone is not walked."""
    old, new = content("example.org", hosts=3000), content("example.org", hosts=100)
    assert [one.rule for one in guard(old, new, DEFAULT)] == ["names-lost", "records-lost"]
    assert guard(old, new, DEFAULT, changed=3) == []


def test_losses_are_the_same_compiled(rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions of the count agree on random zones; DNSSEC's own records are not counted."""
    kinds = ["A 192.0.2.{}", "TXT {}", "AAAA 2001:db8::{}", "NSEC a{}. A", "MX {} m."]

    def some() -> ZoneVersion:
        lines = [
            f"{'x.' * rng.randrange(3)}h{rng.randrange(12)} "
            + rng.choice(kinds).format(rng.randrange(1, 5))
            for _ in range(rng.randrange(40))
        ]
        return version(*BASE, *lines)

    for _ in range(200):
        old, new = some(), some()
        compiled = losses(old, new)
        with monkeypatch.context() as patch:
            patch.setattr("zones.losses.use_compiled", lambda: False)
            assert losses(old, new) == compiled
        assert losses(old, old)[1::2] == (0, 0)
    assert packing.compiled_available


def test_names_of_nsec3_do_not_count() -> None:
    """A zone signed anew with another salt loses no name."""
    hashed = RRset.of(
        from_text("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", APEX),
        NSEC3,
        300,
        [rdata(NSEC3, "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A")],
    )
    old = version(*BASE)
    with_chain = ZoneVersion.of(APEX, [*old, hashed])
    assert losses(with_chain, old) == Losses(0, 0, 3, 0, 0)
    nsec = RRset.of(from_text("a", APEX), NSEC, 300, [rdata(NSEC, "b. A")])
    assert losses(ZoneVersion.of(APEX, [*old, nsec]), old).names_lost == 0
