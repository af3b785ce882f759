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
        "check": ("cli.secondary_check:check", "Try a primary out, and publish nothing."),
        "held": ("cli.secondary_hold:held", "List what waits for approval."),
        "approve": ("cli.secondary_hold:approve", "Serve the version that is held."),
        "discard": ("cli.secondary_hold:discard", "Drop the version that is held."),
        "accept-serial": (
            "cli.secondary_hold:accept_serial",
            "Take over a serial that went back, once.",
        ),
        "guard": ("cli.secondary_guard:guard", "What holds a new version back, and validates it."),
        "limit": ("cli.secondary_limit:limit", "What a transfer of a zone may take."),
        "refresh": ("cli.secondary_refresh:refresh", "Ask the primary now."),
        "retransfer": (
            "cli.secondary_refresh:retransfer",
            "Fetch the whole zone, whatever its serial.",
        ),
        "set-primary": (
            "cli.secondary_primaries:set_primary",
            "Ask another primary too, or ask one differently.",
        ),
        "remove-primary": ("cli.secondary_primaries:remove_primary", "Ask a primary no more."),
        "suspend-primary": (
            "cli.secondary_suspend:suspend_primary",
            "Cut a primary off at once, with a reason.",
        ),
        "resume-primary": ("cli.secondary_suspend:resume_primary", "Ask it again."),
        "suspended": ("cli.secondary_suspend:suspended", "List the primaries that are cut off."),
        "drift": (
            "cli.secondary_drift:drift",
            "Does a primary have other content under the same serial?",
        ),
    },
)
