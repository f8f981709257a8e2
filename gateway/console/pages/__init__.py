"""The console's pages: one file a page, each a router."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.console.pages import (
    audit,
    case,
    case_acts,
    case_contact,
    case_tier,
    entry,
    export,
    figures,
    handover,
    notices,
    oidc,
    own,
    queue,
    replay,
    reviews,
    staff,
)


def routers() -> list[APIRouter]:
    """The routes of all pages."""
    return [
        entry.router,
        own.router,
        queue.router,
        case.router,
        case_acts.router,
        case_contact.router,
        case_tier.router,
        replay.router,
        notices.router,
        audit.router,
        staff.router,
        oidc.router,
        handover.router,
        export.router,
        reviews.router,
        figures.router,
    ]
