"""How a stored message gets its answer: from Rasa, or, where Rasa fails or understates, from the clinical core alone."""
