"""Starts Rasa with its secrets from files: `python -m rasa_ext.start run ...` is `python -m rasa run ...`.

Rasa takes its tracker store's password from the environment. It is put there only here, in the running process, so that the environment
with which the process was started, which other processes can read, does not hold it.
"""

from __future__ import annotations

import os
import sys

from rasa.__main__ import main

from vault.secret import SecretError, with_secrets


def start() -> None:
    """Run Rasa."""
    try:
        os.environ.update(with_secrets(os.environ))
    except SecretError as error:
        sys.exit(str(error))
    sys.argv[0] = "rasa"
    main()


if __name__ == "__main__":
    start()
