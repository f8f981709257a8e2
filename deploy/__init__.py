"""What runs Aftercare on more than one process or machine."""
