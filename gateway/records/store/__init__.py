"""Reading and adding to the records."""

from gateway.records.store.entries import Bound, Clock, ConflictError, Contacting, Event, OvertakenError, Session, utc_now
from gateway.records.store.records import Records

__all__ = ["Bound", "Clock", "ConflictError", "Contacting", "Event", "OvertakenError", "Records", "Session", "utc_now"]
