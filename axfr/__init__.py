"""Moving zones: NOTIFY, SOA refresh and expiry, transfers in and out, TSIG, refusals.

State machines without I/O, fed with messages and the time, and thin asyncio shells around them.
"""
