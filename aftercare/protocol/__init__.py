"""The clinic's knowledge: read from `protocols/`, checked, typed."""

from aftercare.protocol.files import ProtocolError
from aftercare.protocol.library import Key, Library
from aftercare.protocol.load import folders_in_force, known_folders, load_library, load_protocol, reload_protocol
from aftercare.protocol.model import Disposition, Protocol

__all__ = [
    "Disposition",
    "Key",
    "Library",
    "Protocol",
    "ProtocolError",
    "folders_in_force",
    "known_folders",
    "load_library",
    "load_protocol",
    "reload_protocol",
]
