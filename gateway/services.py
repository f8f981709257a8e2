"""The gateway's parts, made once."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialogue.answering import Answering
from gateway.dialogue.core import Core
from gateway.dialogue.rasa import Rasa
from gateway.limiting import Limiter
from gateway.live import Bell
from gateway.network import Groups, Proxies
from gateway.records.store import Records
from gateway.settings import Settings
from gateway.voice import Voices


@dataclass(frozen=True)
class Services:
    """What the routes work with."""

    settings: Settings
    core: Core
    voices: Voices
    records: Records
    rasa: Rasa
    answering: Answering
    limiter: Limiter
    bell: Bell
    proxies: Proxies
    groups: Groups
