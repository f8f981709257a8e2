"""Chooses the probabilities of thresholds.yml on the validation part: the model reads each message once, the core decides it often."""
