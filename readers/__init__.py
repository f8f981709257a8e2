"""Patients' words are read here: in processes of their own, which have a deadline. Knows the core, and no Rasa, web or database."""
