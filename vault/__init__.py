"""Keys that are destroyed: the gateway's records and Rasa's conversations are sealed under keys of the day. Knows neither of them.

And secrets in files, which both read.
"""
