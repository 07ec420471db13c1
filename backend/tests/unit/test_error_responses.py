"""The OpenAPI document names the errors of each operation, all of one shape."""

from __future__ import annotations

import re

import pytest

from app.api.error_responses import MEANING, PARTICULAR
from app.core.config import PROJECT_ROOT
from tests.fixtures.documented import document, operations

ERROR = {"$ref": "#/components/schemas/ErrorBody"}


def test_every_operation_names_its_errors_and_none_is_a_range() -> None:
    for name, operation in operations().items():
        statuses = set(operation["responses"])
        assert {"400", "500", "503"} <= statuses, name
        assert not {"4XX", "5XX", "default"} & statuses, name
        if operation.get("security"):
            assert {"401", "403"} <= statuses, name
        if "{" in name:
            assert "404" in statuses, name


def test_all_have_the_shape_of_our_errors() -> None:
    shared = document()["components"]["responses"]
    assert {answer["content"]["application/json"]["schema"]["$ref"] for answer in shared.values()} == {
        ERROR["$ref"]
    }
    assert "HTTPValidationError" not in str(document())
    for name, operation in operations().items():
        own = {
            status: answer
            for status, answer in operation["responses"].items()
            if status >= "400" and "$ref" not in answer
        }
        assert set(own) <= {"503"}, name  # /ready says what is wrong in a shape of its own


@pytest.mark.parametrize("status", sorted(PARTICULAR))
def test_what_is_named_by_hand_is_there(status: int) -> None:
    known = {operation["operationId"] for operation in operations().values()}
    assert sorted(PARTICULAR[status] - known) == []


def test_the_statuses_are_in_the_list_of_codes() -> None:
    page = (PROJECT_ROOT / "docs" / "api.md").read_text("utf-8")
    rows = re.findall(r"^\| (4\d\d|5\d\d)(?:, (4\d\d))? \| `", page, re.MULTILINE)
    listed = {int(status) for row in rows for status in row if status}
    assert sorted(set(MEANING) - listed) == []
