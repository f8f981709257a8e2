"""Rasa graph components, channel and tracker store: thin adapters over the clinical core."""
