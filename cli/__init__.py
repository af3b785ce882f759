"""The command line, ``nsctl``."""
