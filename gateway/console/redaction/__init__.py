"""Hides in texts what tells who somebody is."""
