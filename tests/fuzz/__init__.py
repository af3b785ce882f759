"""Mutation fuzzing of the compiled engine; a soak of its own, not part of the test suite."""
