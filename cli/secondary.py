"""``nsctl secondary``: the table of its commands."""

from __future__ import annotations

from cli.command import Group

secondary = Group(
    "secondary",
    help="Zones whose content comes from a customer's primary.",
    lazy={
        "add": ("cli.secondary_add:add", "Follow a primary: one zone, or thousands from a file."),
        "list": ("cli.secondary_status:list_", "List the secondary zones and how they stand."),
        "status": ("cli.secondary_status:status", "How one zone stands, and its last transfers."),
        "explain": ("cli.secondary_explain:explain", "What is wrong, and what to change."),
        "refresh": ("cli.secondary_refresh:refresh", "Ask the primary now."),
        "retransfer": (
            "cli.secondary_refresh:retransfer",
            "Fetch the whole zone, whatever its serial.",
        ),
    },
)
