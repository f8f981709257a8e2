"""`python -m aftercare.protocol FOLDER`: check a protocol; exit code 0 when it can be used."""

from __future__ import annotations

import sys
from pathlib import Path

from aftercare.protocol import ProtocolError, load_protocol


def main(arguments: list[str]) -> int:
    """Print every problem of the folder's protocol, or its name and version; return the exit code."""
    try:
        protocol = load_protocol(Path(arguments[0]) if arguments else None)
    except ProtocolError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{protocol.id}, version {protocol.version}, {protocol.clinic.mode} mode: {protocol.clinic.details['clinic']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
