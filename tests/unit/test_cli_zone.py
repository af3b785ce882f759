"""``nsctl zone``: adding, importing, exporting, checking, versions, settings."""

from __future__ import annotations

import pytest

from tests.unit.cli_fixtures import Nsctl, nsctl, zone_text

__all__ = ["nsctl"]


def serials(nsctl: Nsctl, zone: str = "example.org") -> list[int]:
    """Return the serials of a zone's history, newest first."""
    return [version["serial"] for version in nsctl.json("zone", "history", zone)]


# ---- add


def test_add_makes_soa_and_ns(nsctl: Nsctl) -> None:
    """A new zone has a SOA and the NS records that were named; the serial follows the policy."""
    (added,) = nsctl.json(
        "zone", "add", "example.org", "--ns", "ns1.example.net", "--ns", "ns2.example.net",
        "--mailbox", "dns.team@example.net", "--ttl", "600", "--serial-policy", "increment",
    )  # fmt: skip
    assert (added["serial"], added["findings"]) == (1, [])
    records = nsctl.json("record", "list", "example.org")
    assert [(one["type"], one["ttl"], one["rdata"]) for one in records] == [
        ("NS", 600, "ns1.example.net."),
        ("NS", 600, "ns2.example.net."),
        (
            "SOA",
            600,
            r"ns1.example.net. dns\.team.example.net. 1 14400 3600 1209600 3600",
        ),
    ]


def test_add_takes_the_settings(nsctl: Nsctl) -> None:
    """Name servers, mailbox and customer of a new zone come from the settings."""
    nsctl.environment |= {
        "NSCTL_HOSTED_NAMESERVERS": "ns1.example.net, ns2.example.net",
        "NSCTL_HOSTED_MAILBOX": "hostmaster@example.net",
        "NSCTL_CUSTOMER": "4711",
    }
    nsctl("zone", "add", "example.org")
    (zone,) = nsctl.json("zone", "list")
    assert zone["customer"] == "4711"
    soa = nsctl.json("record", "list", "example.org", "@", "SOA")[0]["rdata"]
    assert soa.startswith("ns1.example.net. hostmaster.example.net. ")


def test_add_without_name_servers_warns(nsctl: Nsctl) -> None:
    """The first zone of a new user is made, and what is missing is told."""
    done = nsctl("zone", "add", "example.org")
    assert "added with serial" in done.stdout
    assert "glue-missing" in done.stderr


def test_add_is_all_or_none(nsctl: Nsctl) -> None:
    """Where one of several zones exists, none is added and the one is named."""
    nsctl("zone", "add", "example.org")
    done = nsctl("zone", "add", "example.net", "example.org", code=1)
    assert "zone example.org exists already" in done.stderr
    assert len(nsctl.json("zone", "list")) == 1


def test_add_external_and_secondary(nsctl: Nsctl) -> None:
    """An external zone has no content; a secondary one needs its primary."""
    nsctl("zone", "add", "external.example", "--mode", "external")
    nsctl("zone", "add", "hidden.example", "--mode", "hidden-primary", code=2)
    nsctl("zone", "add", "hidden.example", "--mode", "hidden-primary", "--primary", "192.0.2.1")
    states = {zone["zone"]: zone["state"] for zone in nsctl.json("zone", "list")}
    assert states == {"external.example": "external", "hidden.example": "pending"}


# ---- import


def test_import_file_and_directory(nsctl: Nsctl) -> None:
    """Files make hosted zones named after them; a directory is read whole."""
    nsctl.file("zones/example.org.zone", zone_text(7, "www A 192.0.2.1"))
    path = nsctl.file("zones/example.net.zone", zone_text())
    nsctl.file("zones/README", "no zone")
    imported = nsctl.json("zone", "import", str(nsctl.directory / "zones"), path)
    assert [(one["zone"], one["result"], one["serial"]) for one in imported] == [
        ("example.net", "added", 1),
        ("example.org", "added", 7),
    ]
    assert len(nsctl.json("record", "list", "example.org")) == 4


def test_import_of_a_file_of_any_name(nsctl: Nsctl) -> None:
    """``--zone`` names the zone of a file that is not called after it."""
    path = nsctl.file("db.local", zone_text())
    nsctl("zone", "import", path, "--zone", "example.org")
    assert nsctl.json("zone", "show", "example.org")["records"] == 3


def test_import_tells_every_reason_and_takes_the_rest(nsctl: Nsctl) -> None:
    """Bad files are told with all their reasons, by line; the good one is imported; exit 1."""
    bad = nsctl.file("z/bad.example.zone", zone_text(1, "www A 192.0.2", "@ MX x mail"))
    clash = nsctl.file("z/clash.example.zone", zone_text(1, "a CNAME ns1", "a A 192.0.2.1"))
    nsctl.file("z/good.example.zone", zone_text())
    done = nsctl("zone", "import", str(nsctl.directory / "z"), code=1)
    assert f"{bad}:5: " in done.stderr
    assert f"{bad}:6: " in done.stderr
    assert f"{clash}: a.clash.example has a CNAME record" in done.stderr
    assert [zone["zone"] for zone in nsctl.json("zone", "list")] == ["good.example"]


def test_import_with_force(nsctl: Nsctl) -> None:
    """``--force`` lets content through that breaks a rule, and still tells it."""
    path = nsctl.file("example.org.zone", zone_text(1, "a CNAME ns1", "a A 192.0.2.1"))
    nsctl("zone", "import", path, code=1)
    done = nsctl("zone", "import", path, "--force")
    assert "cname-and-other-data" in done.stderr
    assert nsctl.json("zone", "show", "example.org")["records"] == 5


def test_import_replaces_only_when_told(nsctl: Nsctl) -> None:
    """An existing zone needs ``--replace``; equal content changes nothing."""
    path = nsctl.file("example.org.zone", zone_text(5))
    nsctl("zone", "import", path)
    assert "--replace" in nsctl("zone", "import", path, code=1).stderr
    assert nsctl.json("zone", "import", path, "--replace")[0]["result"] == "unchanged"
    nsctl.file("example.org.zone", zone_text(6, "www A 192.0.2.1"))
    assert nsctl.json("zone", "import", path, "--replace")[0]["result"] == "replaced"
    assert serials(nsctl) == [6, 5]


def test_import_raises_a_serial_that_is_not_newer(nsctl: Nsctl) -> None:
    """Changed content with an old serial gets a newer one, so that secondaries follow."""
    path = nsctl.file("example.org.zone", zone_text(5))
    nsctl("zone", "import", path)
    nsctl("zone", "set", "example.org", "--serial-policy", "increment")
    nsctl.file("example.org.zone", zone_text(4, "www A 192.0.2.1"))
    done = nsctl("zone", "import", path, "--replace")
    assert "serial 6 (raised from 4)" in done.stdout


def test_import_into_a_secondary_is_refused(nsctl: Nsctl) -> None:
    """The content of a secondary zone comes from its primary, not from a file."""
    nsctl("secondary", "add", "example.org", "--primary", "192.0.2.1")
    path = nsctl.file("example.org.zone", zone_text())
    done = nsctl("zone", "import", path, "--replace", code=1)
    assert "its content comes from its primaries" in done.stderr


def test_import_of_thousands(nsctl: Nsctl) -> None:
    """A directory of more zones than one commit takes is imported, but for the bad one."""
    for number in range(1200):
        extra = ["x A 1.2.3"] if number == 600 else []
        nsctl.file(f"z/zone{number}.example.zone", zone_text(1, *extra))
    done = nsctl("zone", "import", str(nsctl.directory / "z"), code=1)
    assert "1,199 zones in" in done.stdout
    assert "1 file refused" in done.stderr


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"", b"@ SOA\n", b"$INCLUDE nowhere\n", b"(((("])
def test_import_of_rubbish(data: bytes, nsctl: Nsctl) -> None:
    """Whatever stands in a file, there is a reason and no zone."""
    path = nsctl.directory / "example.org.zone"
    path.write_bytes(data)
    assert str(path) in nsctl("zone", "import", str(path), code=1).stderr
    assert nsctl.json("zone", "list") == []


# ---- export, check


def test_export_reads_back(nsctl: Nsctl) -> None:
    """What is exported and imported again is the same content, octet by octet."""
    nsctl("zone", "import", nsctl.file("example.org.zone", zone_text(9, '*.a TXT "x;y" z')))
    before = nsctl.json("zone", "show", "example.org")["hash"]
    target = nsctl.directory / "out"
    nsctl("zone", "export", "--all", "--to", str(target))
    nsctl("zone", "delete", "example.org")
    nsctl("zone", "import", str(target))
    assert nsctl.json("zone", "show", "example.org")["hash"] == before


def test_export_to_stdout_and_of_an_earlier_version(nsctl: Nsctl) -> None:
    """One zone goes to stdout; an earlier version is named by its serial."""
    nsctl("zone", "import", nsctl.file("example.org.zone", zone_text(1)))
    nsctl("record", "add", "example.org", "www", "A", "192.0.2.1")
    assert "www" in nsctl("zone", "export", "example.org").stdout
    assert "www" not in nsctl("zone", "export", "example.org", "--serial", "1").stdout
    nsctl("zone", "export", "example.org", "--all", code=2)


def test_check(nsctl: Nsctl) -> None:
    """Files and zones are checked alike; errors make exit code 1, warnings do not."""
    good = nsctl.file("good.example.zone", zone_text())
    bad = nsctl.file("bad.example.zone", zone_text(1, "a CNAME ns1", "a A 192.0.2.1"))
    broken = nsctl.file("broken.example.zone", "@ SOA\n")
    nsctl("zone", "import", good)
    assert "all is well" in nsctl("zone", "check", "good.example", good).stdout
    found = nsctl.json("zone", "check", good, bad, broken, code=1)
    assert [one["ok"] for one in found] == [True, False, False]
    assert found[1]["findings"][0]["rule"] == "cname-and-other-data"
    assert found[2]["reasons"][0].startswith(f"{broken}:1: ")
    assert {"rule", "severity", "fix"} <= nsctl.json("zone", "check", "--rules")[0].keys()


# ---- versions


def test_history_diff_and_rollback(nsctl: Nsctl) -> None:
    """Each edit is a version with who, when and why; any of them can be served again."""
    nsctl("zone", "import", nsctl.file("example.org.zone", zone_text(1)))
    nsctl("zone", "set", "example.org", "--serial-policy", "increment")
    nsctl("record", "set", "example.org", "www", "A", "192.0.2.1", "--reason", "launch")
    newest, oldest = nsctl.json("zone", "history", "example.org")
    assert (newest["serial"], newest["served"], newest["reason"]) == (2, True, "launch")
    assert (newest["actor"], oldest["origin"]) == ("tester", "import")
    difference = nsctl.json("zone", "diff", "example.org")
    assert (difference["from"], difference["to"]) == (1, 2)
    assert "www.example.org. 300 IN A 192.0.2.1" in difference["added"]
    back = nsctl.json("zone", "rollback", "example.org", "--reason", "oops")
    assert (back["serial"], back["content_of"]) == (3, 1)
    assert nsctl.json("record", "list", "example.org", "www") == []
    assert "no record differs" not in nsctl("zone", "diff", "example.org", "2").stdout


def test_rollback_without_an_earlier_version(nsctl: Nsctl) -> None:
    """With one version there is nothing to go back to, and an unknown serial is told."""
    nsctl("zone", "add", "example.org")
    assert "no version before" in nsctl("zone", "rollback", "example.org", code=1).stderr
    assert "kept serials" in nsctl("zone", "rollback", "example.org", "12", code=1).stderr


# ---- settings


def test_suspend_and_resume(nsctl: Nsctl) -> None:
    """A suspension has a reason, which is shown."""
    nsctl("zone", "add", "example.org")
    nsctl("zone", "suspend", "example.org", code=2)
    nsctl("zone", "suspend", "example.org", "--reason", "abuse")
    assert nsctl.json("zone", "show", "example.org")["suspended"] == "abuse"
    assert nsctl.json("zone", "list")[0]["state"] == "suspended"
    nsctl("zone", "resume", "example.org")
    assert nsctl.json("zone", "list")[0]["state"] == "served"


def test_pin_and_set(nsctl: Nsctl) -> None:
    """Settings are changed one by one; what is so already is told."""
    nsctl("zone", "add", "example.org")
    nsctl("zone", "pin", "example.org")
    assert "so already" in nsctl("zone", "pin", "example.org").stdout
    nsctl("zone", "set", "example.org", "--customer", "4711", "--keep-versions", "3")
    shown = nsctl.json("zone", "show", "example.org")
    assert (shown["pinned"], shown["customer"], shown["keep_versions"]) == (True, "4711", 3)
    nsctl("zone", "set", "example.org", code=2)
    nsctl("zone", "set", "example.org", "--keep-versions", "0", code=2)


def test_delete(nsctl: Nsctl) -> None:
    """A zone goes with all its versions; an unknown one among several keeps all."""
    nsctl("zone", "add", "example.org", "example.net")
    nsctl("zone", "delete", "example.org", "unknown.example", code=1)
    assert len(nsctl.json("zone", "list")) == 2
    nsctl("zone", "delete", "example.org", "example.net")
    assert nsctl.json("zone", "list") == []


def test_list_filters(nsctl: Nsctl) -> None:
    """The list is narrowed by pattern, mode, state and customer."""
    nsctl("zone", "add", "a.example", "b.example", "--customer", "1")
    nsctl("secondary", "add", "c.example", "--primary", "192.0.2.1")

    def names(*options: str) -> list[str]:
        return [zone["zone"] for zone in nsctl.json("zone", "list", *options)]

    assert names("?.example") == ["a.example", "b.example", "c.example"]
    assert names("a*") == ["a.example"]
    assert names("--mode", "hidden-primary") == names("--state", "pending") == ["c.example"]
    assert names("--customer", "1") == ["a.example", "b.example"]
