"""Rasa custom actions: thin, they call the clinical core."""
