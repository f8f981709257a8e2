"""What the clinic learns from its cases: figures, and cases for the evaluation."""
