"""``nsctl catalog``: the table of its commands."""

from __future__ import annotations

from cli.command import Group

catalog = Group(
    "catalog",
    help="Catalog zones: lists of zones that follow by themselves (RFC 9432).",
    lazy={
        "add": ("cli.catalog_add:add", "Follow a catalog: its zones come and go by themselves."),
        "produce": ("cli.catalog_add:produce", "List our zones in a catalog for others to follow."),
        "group": ("cli.catalog_add:group", "Give the members of a group primaries of their own."),
        "list": ("cli.catalog_show:list_", "List the catalogs and how they stand."),
        "show": ("cli.catalog_show:show", "One catalog: its zones, and what is wrong."),
        "approve": ("cli.catalog_show:approve", "Do what a catalog asks for and was held."),
        "delete": ("cli.catalog_show:delete", "Follow or make a catalog no longer."),
    },
)
