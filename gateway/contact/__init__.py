"""How patient and nurse reach each other: requests for a call, what became of them, and whether the patient reached somebody."""
