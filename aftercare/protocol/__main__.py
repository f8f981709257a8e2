"""`python -m aftercare.protocol [FOLDER ...]` checks protocols, `python -m aftercare.protocol new ID` begins one."""

from __future__ import annotations

import sys
from pathlib import Path

from aftercare.protocol import ProtocolError, folders_in_force, load_library
from aftercare.protocol.compose import languages_of
from aftercare.protocol.load import examine
from aftercare.protocol.skeleton import begin

_USAGE = "usage: python -m aftercare.protocol [FOLDER ...] | python -m aftercare.protocol new ID"


def main(arguments: list[str]) -> int:
    """Print every problem of the protocols, or each one's name and version; return the exit code, 0 when all can be used."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    try:
        if arguments[:1] == ["new"]:
            if len(arguments) != 2:
                print(_USAGE, file=sys.stderr)
                return 2
            arguments = [str(begin(arguments[1]))]
            print(
                f"{arguments[0]} is made. Put the clinic's text into leaflet.txt, its sentences into leaflet.yml, and go on with faq.yml."
            )
        folders = [Path(argument) for argument in arguments] or folders_in_force()
        library = load_library(folders)
        for folder in folders:
            for language in languages_of(folder):
                examine(folder, language)
    except ProtocolError as error:
        print(error, file=sys.stderr)
        return 1
    for protocol in library:
        name = f"{protocol.id} ({protocol.language}), version {protocol.version}"
        print(f"{name}, {protocol.clinic.mode} mode: {protocol.clinic.details['clinic']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
