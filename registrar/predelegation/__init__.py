"""The check of name servers before a domain is delegated to them, as registries do it.

``rules`` says what is checked for which registry, ``checks`` and ``check_keys`` judge what
``asker`` has gathered. A check is made before a zone is live, so that servers may be asked where
they do not yet answer to the world.
"""
