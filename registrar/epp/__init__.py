"""EPP over TLS (RFC 5730-5734, 5910, 3915): the client of a registry, and a registry to rehearse with.

::

    client.py     asyncio: TLS, timeouts, reconnects, the journal before the wire
    session.py    greeting, login, one command in flight, logout     } no I/O
    reconcile.py  what became of a command whose reply was lost      } no I/O
    domain.py contact.py host.py secdns.py rgp.py poll.py            } commands to XML and back
    response.py greeting.py login.py                                 }
    markup.py document.py framing.py                                 } XML and its frames
    sandbox/      the other side of each of these, over a file registry
"""
