"""The nurse console: what waits, why, since when, and what was done about it."""
