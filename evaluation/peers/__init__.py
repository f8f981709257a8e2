"""What Aftercare is compared with, on the same cases in the same run."""
