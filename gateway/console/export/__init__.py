"""What leaves the console: which parts of a case, by profile, and as which kind of file."""
