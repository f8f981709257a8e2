"""From a patient's text to a reading: findings with status and evidence, measures, answers."""
