"""What the Makefile runs: setup, training, the servers and the terminal chat."""
