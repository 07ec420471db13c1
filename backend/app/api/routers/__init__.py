"""All routers, in the order of the documentation."""

from fastapi import APIRouter

from app.api.routers import operations

ROUTERS: tuple[APIRouter, ...] = (operations.router,)
