"""The gateway's parts, made once."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialogue.answering import Answering
from gateway.dialogue.core import Core
from gateway.dialogue.rasa import Rasa
from gateway.limiting import Limiter
from gateway.live import EventBus
from gateway.network import Groups, Proxies
from gateway.patient_copy import PatientCopies
from gateway.records.store import Records
from gateway.settings import Settings


@dataclass(frozen=True)
class Services:
    """What the routes work with."""

    settings: Settings
    core: Core
    copies: PatientCopies
    records: Records
    rasa: Rasa
    answering: Answering
    limiter: Limiter
    event_bus: EventBus
    proxies: Proxies
    groups: Groups
