"""Logs as JSON lines: what happened, with ids. Never a patient's words, never an address, never a token."""

from __future__ import annotations

import logging
import sys

import structlog

_LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.access", "sqlalchemy", "alembic", "httpx", "httpcore", "asyncio")


def set_up_logs() -> None:
    """Send the gateway's log to standard output; of the libraries, only warnings, by name of logger and level and not their text."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = _Names()
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(logging.WARNING)


class _Names(logging.Handler):
    """Libraries put what they were working on into their messages, so only the location of the warning is passed on."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning(
            "library", logger=record.name, severity=record.levelname, place=f"{record.module}:{record.lineno}", error=error
        )
