"""Telling the rota: when a case waits for too long, and how the notice gets there."""
