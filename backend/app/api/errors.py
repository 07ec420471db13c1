"""The one place where errors become HTTP: `{"error": {code, message, field?, retry_after?, request_id}}`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from structlog.contextvars import get_contextvars

from app.api.json_bodies import JsonTooDeepError
from app.api.validation_texts import validation_text
from app.core.errors import AppError, UnavailableError
from app.core.logging import get_logger
from app.db.away import DatabaseAwayError, DatabaseFullError, DatabaseSlowError, is_away, is_full, is_slow

log = get_logger(__name__)

_UNREADABLE_BODY = "There was an error parsing the body"  # FastAPI's word for bytes that no JSON can be

_HTTP_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "file_too_large",
    415: "unsupported_media_type",
}


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    retry_after: int | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The body every error has; also for middleware, which stands outside of the handlers."""
    body: dict[str, Any] = {"code": code, "message": message}
    if field is not None:
        body["field"] = field
    if retry_after is not None:
        body["retry_after"] = retry_after
    body["request_id"] = get_contextvars().get("request_id", "")
    headers = dict(headers or {})
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return JSONResponse({"error": body}, status_code=status, headers=headers)


def app_error_response(error: AppError) -> JSONResponse:
    return error_response(
        error.status, error.code, error.message, field=error.field, retry_after=error.retry_after
    )


async def _on_app_error(_request: Request, error: AppError) -> JSONResponse:
    if error.status >= 500:
        log.warning("request_failed", code=error.code, message=error.message)
    return app_error_response(error)


async def _on_validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    if first["type"] == "json_invalid":
        return error_response(422, "validation_error", "The body is not valid JSON.", field="body")
    if location[0] == "path":
        return error_response(404, "not_found", "There is nothing at this address.")
    field = ".".join(location[1:] if len(location) > 1 and location[0] == "body" else location)
    return error_response(422, "validation_error", validation_text(first), field=field)


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    if isinstance(error, JsonTooDeepError):
        return error_response(422, "validation_error", error.detail, field="body")
    if error.status_code == 400 and error.detail == _UNREADABLE_BODY:
        return error_response(422, "validation_error", "The body is not valid JSON.", field="body")
    code = _HTTP_CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal_error")
    message = {404: "There is nothing at this address.", 405: "This address does not take that method."}.get(
        error.status_code, str(error.detail)
    )
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := _documented_methods(request)):
        headers["Allow"] = methods
    return error_response(error.status_code, code, message, headers=headers)


def _documented_methods(request: Request) -> str:
    """All that the address takes: the framework names those of the first route with that path only."""
    path = getattr(request.scope.get("route"), "path", "")
    return ", ".join(method.upper() for method in request.app.openapi()["paths"].get(path, ()))


async def _on_database_error(request: Request, error: DBAPIError) -> JSONResponse:
    if is_full(error):
        log.error("database_disk_full", error=str(error.orig))
        return app_error_response(DatabaseFullError())
    if is_slow(error):
        log.error("statement_given_up", statement=(error.statement or "")[:500])
        return app_error_response(DatabaseSlowError())
    if is_away(error):
        log.warning("database_away", error=str(error.orig))
        return app_error_response(DatabaseAwayError())
    return await _on_unexpected(request, error)


async def _on_away(_request: Request, error: Exception) -> JSONResponse:
    log.warning("dependency_away", error=repr(error))
    return app_error_response(
        UnavailableError("A part of the service does not answer. Try again in a moment.")
    )


async def _on_disconnect(_request: Request, _error: ClientDisconnect) -> JSONResponse:
    """No fault of ours, and nobody reads this answer."""
    log.info("client_went_away")
    return error_response(400, "bad_request", "The connection ended before the whole request was here.")


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected_error", path=request.url.path, exc_info=error)
    return error_response(
        500, "internal_error", "Something broke on our side. It is logged under the request id."
    )


def add_error_handlers(app: FastAPI) -> None:
    # The framework's types want handlers of any exception; each of these gets its own only.
    app.add_exception_handler(AppError, _on_app_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _on_validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _on_http_exception)  # type: ignore[arg-type]
    app.add_exception_handler(DBAPIError, _on_database_error)  # type: ignore[arg-type]
    app.add_exception_handler(ClientDisconnect, _on_disconnect)  # type: ignore[arg-type]
    app.add_exception_handler(PoolTimeoutError, _on_away)
    app.add_exception_handler(ConnectionError, _on_away)
    app.add_exception_handler(Exception, _on_unexpected)
