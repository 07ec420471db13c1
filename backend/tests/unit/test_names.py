"""Names that people give: nothing in them turns round the line they are shown in."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from app.schemas.api_keys import ApiKeyCreate
from app.schemas.jobs import SpeakerName
from app.schemas.webhooks import WebhookCreate
from app.schemas.workspaces import WorkspaceName


@pytest.mark.parametrize("model", [WorkspaceName, ApiKeyCreate, SpeakerName])
def test_marks_of_direction_go_and_joiners_stay(model: type[BaseModel]) -> None:
    named = model.model_validate({"name": "\u202egnp\u2066.\u200e Me\u200dyer\u2029\u202b &\ufeff Co"})
    assert named.model_dump()["name"] == "gnp. Me\u200dyer & Co"


@pytest.mark.parametrize("model", [WorkspaceName, ApiKeyCreate])
def test_a_name_of_nothing_but_such_marks_is_none(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({"name": "\u202e \u2066"})


def test_what_a_webhook_is_for_is_treated_alike() -> None:
    hook = WebhookCreate(url="https://example.org/", description="to \u202eelas")
    assert hook.description == "to elas"
