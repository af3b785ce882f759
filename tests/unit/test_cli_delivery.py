"""``nsctl customer set``, ``nsctl delivery`` and the filters of ``nsctl events``."""

from __future__ import annotations

from tests.unit.cli_fixtures import Nsctl, nsctl

__all__ = ["nsctl"]


def test_addresses_are_entered_changed_and_removed(nsctl: Nsctl) -> None:
    """A mail address and a webhook are told; the secret is shown when it is made, never again."""
    nsctl("customer", "add", "4711")
    url = "https://example.net/hook"
    made = nsctl.json("customer", "set", "4711", "--mail", "noc@example.net", "--webhook", url)
    assert [one["channel"] for one in made["recipients"]] == ["mail", "webhook"]
    secret = made["recipients"][1]["secret"]
    assert secret.startswith("whsec_")
    shown = nsctl("customer", "show", "4711").stdout
    assert url in shown
    assert "whsec_" not in shown
    again = nsctl.json("customer", "set", "4711", "--webhook", url, "--severity", "error")
    assert "secret" not in again["recipients"][1]
    assert again["recipients"][1]["severity"] == "error"
    assert again["recipients"][0]["severity"] == "warning"
    renewed = nsctl("customer", "set", "4711", "--new-secret", url).stdout
    assert "shown this once" in renewed
    assert secret not in renewed
    nsctl("customer", "set", "4711", "--kind", "drift", "--kind", "zone-refused", "--name", "Ltd")
    data = nsctl.json("customer", "show", "4711")
    assert data["name"] == "Ltd"
    assert all(one["kinds"] == ["drift", "zone-refused"] for one in data["recipients"])
    left = nsctl.json("customer", "set", "4711", "--remove", "noc@example.net", "--all-kinds")
    assert [one["address"] for one in left["recipients"]] == [url]
    assert left["recipients"][0]["kinds"] == []


def test_what_is_wrong_with_an_address_is_told(nsctl: Nsctl) -> None:
    """Unknown customers, bad addresses and http are refused, with the reason, and change nothing."""
    nsctl("customer", "add", "1")
    assert (
        "no such customer 2"
        in nsctl("customer", "set", "2", "--mail", "a@example.org", code=1).stderr
    )
    assert "no mail address" in nsctl("customer", "set", "1", "--mail", "nobody", code=1).stderr
    assert (
        "only https"
        in nsctl("customer", "set", "1", "--webhook", "http://a.example/", code=2).stderr
    )
    wrong = nsctl("customer", "set", "1", "--remove", "b@example.org", code=1).stderr
    assert "there is: none" in wrong
    assert nsctl.json("customer", "show", "1")["recipients"] == []


def test_a_test_message_is_listed_and_retried(nsctl: Nsctl) -> None:
    """A message waits in the list and in the status until a server sends it."""
    assert "all messages have arrived" in nsctl("delivery", "list").stdout
    made = nsctl.json("delivery", "test", "noc@example.org")
    number = str(made["id"])
    (one,) = nsctl.json("delivery", "list")
    assert (one["state"], one["recipient"]) == ("waiting", "noc@example.org")
    assert "noc@example.org" in nsctl("delivery", "list").stdout
    assert "nothing to do" in nsctl("delivery", "show", number).stdout
    assert nsctl.json("status")["undelivered"]["waiting"] == 1
    assert "1 waiting" in nsctl("status").stdout
    assert "to be sent now" in nsctl("delivery", "retry", number).stdout
    assert "nothing was given up" in nsctl("delivery", "retry", "--failed").stdout
    assert "no delivery 99" in nsctl("delivery", "show", "99", code=1).stderr
    nsctl("delivery", "retry", code=2)


def test_events_are_chosen_by_kind_customer_and_severity(nsctl: Nsctl) -> None:
    """Each filter leaves what it names; together they narrow."""
    nsctl("customer", "add", "1")
    nsctl("zone", "add", "a.example", "--customer", "1")
    nsctl("zone", "add", "b.example")
    nsctl("customer", "set", "1", "--mail", "noc@example.net")

    def kinds(*arguments: str) -> set[tuple[str, str | None]]:
        import json

        lines = nsctl("--json", "events", *arguments).stdout.splitlines()
        return {(one["kind"], one["zone"]) for one in map(json.loads, lines)}

    assert ("zone-added", "b.example") in kinds()
    mine = kinds("--customer", "1")
    assert ("zone-added", "a.example") in mine
    assert ("recipients", None) in mine
    assert not any(zone == "b.example" for _, zone in mine)
    assert kinds("--kind", "zone-added") == {
        ("zone-added", "a.example"),
        ("zone-added", "b.example"),
    }
    assert kinds("--severity", "error") == set()
    assert "no such event" in nsctl("events", "--severity", "error").stdout
