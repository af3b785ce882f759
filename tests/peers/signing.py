"""Signed zones, made by BIND's tools, and the judgement of a validator on the answers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import dns.rdata
import dns.rdatatype

from tests.peers.base import program


@dataclass(frozen=True)
class SignedZone:
    """A signed zone file, and the key that it is to be trusted by."""

    apex: str
    text: str
    dnskey: dns.rdata.Rdata
    ds: str
    opt_out: bool = False


def run(*command: str, cwd: Path) -> str:
    """Run a program to its end; it must succeed."""
    done = subprocess.run(
        [program(command[0]), *command[1:]], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
    return done.stdout


def sign(
    directory: Path, apex: str, text: str, *, nsec3: bool, opt_out: bool = False
) -> SignedZone:
    """Sign a zone file with one key, new or used before in the directory, by ``dnssec-signzone``.

    NSEC3 is used as RFC 9276 has it: no salt, no extra iterations.
    """
    bare = apex.rstrip(".")
    (directory / f"{bare}.unsigned").write_text(text)
    key = next((one.stem for one in directory.glob(f"K{apex}+*.key")), "")
    how = ("-q", "-a", "ECDSAP256SHA256", "-f", "KSK")
    key = key or run("dnssec-keygen", *how, apex, cwd=directory)
    chain = ("-3", "-", "-H", "0", *(("-A",) if opt_out else ())) if nsec3 else ()
    unsigned, signed = f"{bare}.unsigned", f"{bare}.signed"
    options = ("-q", "-S", "-z", "-P", "-o", apex, "-f", signed)
    run("dnssec-signzone", *options, *chain, unsigned, cwd=directory)
    line = (directory / f"{key.strip()}.key").read_text().splitlines()[-1]
    dnskey = dns.rdata.from_text("IN", "DNSKEY", line.partition("DNSKEY")[2])
    ds = run("dnssec-dsfromkey", "-2", f"{key.strip()}.key", cwd=directory).strip()
    return SignedZone(apex, (directory / signed).read_text(), dnskey, ds, opt_out)


def delv(directory: Path, port: int, apex: str, dnskey: dns.rdata.Rdata, *question: str) -> str:
    """Return what delv says, asking 127.0.0.1 and trusting only this key of ``apex``.

    ``; fully validated`` stands over each RRset whose signature held, and for a negative answer
    ``; negative response, fully validated``; ``resolution failed`` where nothing did.
    """
    flags, protocol, algorithm, key = dnskey.to_text().split(maxsplit=3)
    anchor = directory / f"{apex.rstrip('.')}.anchor"
    anchor.write_text(
        f"trust-anchors {{ {apex} static-key {flags} {protocol} {algorithm} "
        f'"{key.replace(" ", "")}"; }};\n'
    )
    done = subprocess.run(
        [
            program("delv"),
            "@127.0.0.1",
            *("-p", str(port), "-a", str(anchor), f"+root={apex}"),
            *question,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
