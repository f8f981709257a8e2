"""The clinical core: a patient's words in, findings, disposition and wording out. It knows no Rasa, no web, no database."""
