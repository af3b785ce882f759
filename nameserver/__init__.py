"""The data plane: listeners, the zone table and the answering of queries."""
