"""``nsctl zone``: the table of its commands; each group of them has a module."""

from __future__ import annotations

from cli.command import Group

zone = Group(
    "zone",
    help="Zones: what there is, where it comes from, and its versions.",
    lazy={
        "list": ("cli.zone_show:list_", "List the zones, with mode, state and serial."),
        "show": ("cli.zone_show:show", "Show one zone: settings, content in brief, primaries."),
        "add": ("cli.zone_add:add", "Create a zone of our editor, with SOA and NS."),
        "delete": ("cli.zone_change:delete", "Delete zones with all their versions."),
        "import": ("cli.zone_import:import_", "Read zone files, one or thousands."),
        "export": ("cli.zone_export:export", "Write the served content as zone files."),
        "check": ("cli.zone_check:check", "Check a zone, or a zone file, against every rule."),
        "history": ("cli.zone_history:history", "List the versions kept: who, when, why."),
        "diff": ("cli.zone_history:diff", "Compare two versions, record by record."),
        "rollback": ("cli.zone_history:rollback", "Serve an earlier version again."),
        "pin": ("cli.zone_change:pin", "Keep the served version from being replaced."),
        "unpin": ("cli.zone_change:unpin", "Let transfers replace the served version again."),
        "suspend": ("cli.zone_change:suspend", "Stop answering for a zone, with a reason."),
        "resume": ("cli.zone_change:resume", "Answer for a suspended zone again."),
        "product": ("cli.zone_change:product", "Say which product a zone is booked with."),
        "set": ("cli.zone_change:set_", "Change settings: customer, serial policy, mode, ..."),
    },
)
