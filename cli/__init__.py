"""``nsctl``: the command line.

Commands write to the store and nowhere else; they work whether or not a server is running.
"""
