"""The console's pages: one file a page, each a router."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.console.pages import entry, queue


def routers() -> list[APIRouter]:
    """The routes of all pages."""
    return [entry.router, queue.router]
