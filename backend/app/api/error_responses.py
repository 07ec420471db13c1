"""Which errors each operation of the OpenAPI document answers with: told from its shape, here and nowhere else.

What an operation takes says most of it: credentials 401 and 403, an id or a workspace 404, a body 413 and 415, any
input 422. Only what its shape does not tell stands in `PARTICULAR`. The tests' clients refuse every answer whose
status is not in the document, so that a new one has to be named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from app.schemas.common import ErrorBody

Operation = dict[str, Any]

MEANING = {
    400: ("BadRequest", "The request cannot be understood."),
    401: ("Unauthenticated", "No valid access token, key, cookie or password of the link."),
    402: ("QuotaExceeded", "A limit of the workspace is reached; `field` says which."),
    403: ("Forbidden", "Known, but not allowed."),
    404: ("NotFound", "There is nothing here; another workspace's ids and malformed ones look the same."),
    408: ("RequestTimeout", "The body stopped coming, or came too slowly."),
    409: ("Conflict", "It does not fit what is there, or the state it is in."),
    410: ("Gone", "The token was used, has expired or is unknown."),
    411: ("LengthRequired", "The body came without its length."),
    413: ("TooLarge", "More bytes than this address takes."),
    415: ("UnsupportedMediaType", "A body of a kind that this address does not read."),
    422: ("ValidationError", "The input is not acceptable; `field` says where."),
    429: ("RateLimited", "Too often, or too much at once; `retry_after` says when."),
    500: ("InternalError", "A bug on our side, logged under the request id."),
    503: ("Unavailable", "The database, the store or another part is away for now; see `retry_after`."),
    507: ("StorageFull", "The disk of the store or of the database has no room."),
}

_UNCHANGED = "The client has it: `If-None-Match` named its `ETag`. Without a body."

# What no shape tells: status -> operations.
PARTICULAR: dict[int, set[str]] = {
    401: {
        "auth_login",
        "auth_token",
        "auth_refresh",
        "oidc_factor",
        "operations_metrics",
        "share_links_result",
        "share_links_media",
        "share_links_peaks",
        "share_links_download",
        "share_links_events",
    },
    402: {
        "files_presign",
        "files_complete",
        "jobs_create",
        "jobs_transcribe",
        "jobs_retry",
        "members_invite",
        "members_accept_invitation",
    },
    403: {
        "auth_register",
        "auth_login",
        "auth_token",
        "auth_refresh",
        "auth_logout",
        "oidc_factor",
        "operations_metrics",
        "share_links_unlock",
        "share_links_media",
        "share_links_download",
    },
    404: {"jobs_transcribe", "oidc_callback", "oidc_factor", "oidc_link", "oidc_start"},
    409: {
        "account_delete",
        "account_set_up_totp",
        "account_enable_totp",
        "account_disable_totp",
        "account_renew_backup_codes",
        "administration_download_model",
        "administration_verify_model",
        "administration_remove_model",
        "auth_register",
        "files_abort",
        "files_complete",
        "files_delete",
        "files_list_parts",
        "files_sign_parts",
        "jobs_cancel",
        "jobs_download",
        "jobs_name_speaker",
        "jobs_result",
        "jobs_retry",
        "jobs_retry_gaps",
        "jobs_retry_now",
        "jobs_retry_speakers",
        "members_change_role",
        "members_invite",
        "members_remove",
        "oidc_link",
        "oidc_remove",
        "share_links_download",
        "share_links_media",
        "share_links_peaks",
        "share_links_result",
        "shared_download",
        "shared_media",
        "shared_name_speaker",
        "shared_peaks",
        "shared_result",
        "workspaces_delete",
        "workspaces_leave",
    },
    410: {
        "account_check_reset",
        "account_reset_password",
        "account_verify_email",
        "auth_register",
        "members_accept_invitation",
        "members_inspect_invitation",
    },
}


def document_errors(app: FastAPI) -> None:
    """Make the application's OpenAPI document name the errors of each operation."""
    write = app.openapi

    def openapi() -> dict[str, Any]:
        document = write()
        if "responses" not in document["components"]:
            _complete(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    components = document["components"]
    components["responses"] = {
        name: {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
        }
        for name, description in MEANING.values()
    }
    schema = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= schema.pop("$defs") | {"ErrorBody": schema}
    for unused in ("HTTPValidationError", "ValidationError"):  # the framework's own shape, which is not ours
        components["schemas"].pop(unused, None)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "get" and path.startswith("/api/"):
                operation["responses"].setdefault("304", {"description": _UNCHANGED})
            _add_errors(operation, _errors_of(path, operation))


def _add_errors(operation: Operation, statuses: Iterator[int]) -> None:
    responses = operation["responses"]
    if "422" in responses and "HTTPValidationError" in str(responses["422"]):
        del responses["422"]
    for status in sorted(statuses):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{MEANING[status][0]}"})
    operation["responses"] = dict(sorted(responses.items()))


def _errors_of(path: str, operation: Operation) -> Iterator[int]:
    taken = {(item["in"], item["name"].lower()) for item in operation.get("parameters", ())}
    places = {place for place, _ in taken}
    yield from (400, 500, 503, 507)
    if path.startswith("/api/"):
        yield 429
    if operation.get("security"):
        yield from (401, 403)
    if "path" in places or ("header", "x-workspace-id") in taken:
        yield 404
    if ("header", "idempotency-key") in taken:  # it is of a workspace, which X-Workspace-Id may name
        yield from (404, 409)
    if "requestBody" in operation:
        yield from (408, 413, 415)
    if "requestBody" in operation or places - {"path"}:
        yield 422
    yield from (status for status, operations in PARTICULAR.items() if operation["operationId"] in operations)
