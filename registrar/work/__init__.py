"""How work at a registry is done: which commands, in which order, and what they prove.

Each kind of work is a generator: it yields commands and is sent their outcomes, and returns what
came of it. It looks at the registry before it changes anything there, so that work that was begun
and broken off can begin again from the start. No I/O, no clock: time is an argument.
"""
