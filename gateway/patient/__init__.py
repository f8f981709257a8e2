"""What patients' browsers ask for: the API under /api/v1."""
