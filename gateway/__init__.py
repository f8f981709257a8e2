"""The front door: patient API, fail-safe and records. The only part of Aftercare that a browser reaches."""
