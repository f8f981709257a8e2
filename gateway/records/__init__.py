"""The append-only record of every conversation: what was written, what was answered, why, and how it was read."""
