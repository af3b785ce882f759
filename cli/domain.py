"""``nsctl domain``: the table of its commands; each group of them has a module."""

from __future__ import annotations

from cli.command import Group

domain = Group(
    "domain",
    help="Domains: their registrations, from the order to the end.",
    lazy={
        "check": ("cli.domain_check:check", "Check name servers as the registry will."),
        "order": ("cli.domain_order:order", "Order domains, single ones or a list as CSV."),
        "transfer-in": ("cli.domain_order:transfer_in", "Have a domain transferred to us."),
        "forward": ("cli.domain_act:forward", "Send an order that was held back."),
        "decline": ("cli.domain_act:decline", "Decline an order that staff entered."),
        "list": ("cli.domain_show:list_", "List the registrations."),
        "show": ("cli.domain_show:show", "Show all about one: stage, clocks, what is due."),
        "timeline": ("cli.domain_show:timeline", "What happened, and what will."),
        "project": ("cli.domain_future:project", "How one, or all, stand at a date."),
        "calendar": ("cli.domain_future:calendar", "What falls due on which day."),
        "worklist": ("cli.domain_future:worklist", "What is to be done, by due date."),
        "why-not": ("cli.domain_show:why_not", "Why an action is not possible, and until when."),
        "plan": ("cli.domain_plan:plan", "Our data, the registry's and the parent's: drift."),
        "rdap": ("cli.domain_rdap:rdap", "What everybody sees of a domain."),
        "notices": ("cli.domain_notices:notices", "What customers were told."),
        "name-servers": ("cli.domain_set:name_servers", "Delegate a domain elsewhere."),
        "contacts": ("cli.domain_set:contacts", "Change holder, Admin-C, tech or managers."),
        "product": ("cli.domain_set:product", "Book another product; its records follow."),
        "renew": ("cli.domain_act:renew", "Lengthen a registration at the registry."),
        "authcode": ("cli.domain_leave:authcode", "Make the code of a transfer away."),
        "transfer-out": ("cli.domain_leave:transfer_out", "How a transfer away stands; answer it."),
        "lock": ("cli.domain_leave:lock", "Lock against transfer and deletion, or unlock."),
        "hold": ("cli.domain_leave:hold", "Switch the delegation off, or on again."),
        "cancel": ("cli.domain_act:cancel", "Take a cancellation in, with its documents."),
        "document": ("cli.domain_act:document", "Say that a document has arrived."),
        "withdraw": ("cli.domain_act:withdraw", "Take an order or a cancellation back."),
        "delete": ("cli.domain_act:delete", "Order a deletion."),
        "confirm": ("cli.domain_act:confirm", "Agree as a second person that it is given back."),
        "restore": ("cli.domain_act:restore", "Restore a domain from redemption."),
        "suspend": ("cli.domain_act:suspend", "Suspend a domain for arrears."),
        "terminate": ("cli.domain_act:terminate", "End a contract for an important reason."),
        "rescind": ("cli.domain_act:rescind", "Take a termination back."),
        "dispute": ("cli.domain_set:dispute", "Say that a domain is claimed, or no longer."),
        "disclose": ("cli.domain_set:disclose", "Contact data for somebody with a claim."),
        "proof": ("cli.domain_set:proof", "Proof of contact data: asked for, received."),
    },
)
