"""Who works at the console: accounts, logins, passwords and one-time codes, the hospital's provider, rights."""
