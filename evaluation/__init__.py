"""Cases with accepted outcomes, and what the running bot makes of them."""
