"""A registry that speaks EPP, to rehearse with: a file registry behind TLS, misbehaving on demand.

It offers domains, hosts, contacts, secDNS and rgp. What it leaves out: transfers of contacts,
``disclose``, and a change of ``authInfo`` together with other changes of a domain (it asks for a
command of its own).
"""

from registrar.epp.sandbox.faults import Fault, Faults
from registrar.epp.sandbox.server import Sandbox

__all__ = ["Fault", "Faults", "Sandbox"]
