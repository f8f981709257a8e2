"""The audit: who saw and did what."""
