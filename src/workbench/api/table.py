"""All routes, in the order in which they are tried."""

from __future__ import annotations

from . import (
    d1,
    d1_transfer,
    durable_objects,
    kv,
    kv_bulk,
    lacking,
    openapi,
    r2,
    rooms,
    traces,
    workers,
    workflows,
)
from .routes import Route

MODULES = (
    openapi,
    kv,
    kv_bulk,
    r2,
    d1,
    d1_transfer,
    durable_objects,
    rooms,
    workflows,
    workers,
    traces,
    lacking,
)
ROUTES: list[Route] = [route for module in MODULES for route in module.routes.all]
