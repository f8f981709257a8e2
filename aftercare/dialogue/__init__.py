"""One turn of a conversation: what a message changes in it, what is asked, and what is said."""
