"""The nurses' cases: the queue, what nurses do with a case, how they read one, and what they think of its answers."""
