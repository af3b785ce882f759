"""Who our messages go to, for tests: a mail relay and an HTTP receiver."""
