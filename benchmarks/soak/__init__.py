"""Thousands of simulated patients chat with the running bot while its parts fail; nothing may be lost or met with silence."""
