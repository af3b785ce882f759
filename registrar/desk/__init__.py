"""The desk: registrations in the store, what is done with them, and what follows from that.

The rules are beside this package and know no store. Here facts are written down together with
their effects, in one transaction: work at registries (``storage.jobs``), notices, changes of zones,
deadlines. ``runner`` carries the work out afterwards.
"""
