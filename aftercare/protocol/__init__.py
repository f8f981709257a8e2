"""The clinic's knowledge: read from `protocols/`, checked, typed."""

from aftercare.protocol.files import ProtocolError
from aftercare.protocol.load import known_folders, load_protocol, reload_protocol
from aftercare.protocol.model import Disposition, Protocol

__all__ = ["Disposition", "Protocol", "ProtocolError", "known_folders", "load_protocol", "reload_protocol"]
