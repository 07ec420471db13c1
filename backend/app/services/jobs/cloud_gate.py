"""Whether a provider may be asked now: key, workspace, limits of the day, circuit. Each refusal is a code and a
sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from app.asr.engines.registry import ENGINES, installed
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.openai_models import OPENAI_MODELS, is_openai, remote_model, retirement_refusal
from app.asr.selection import (
    CLOUD_FORBIDDEN,
    CLOUD_LIMIT,
    CLOUD_NOT_CONFIGURED,
    CLOUD_SPEND_LIMIT,
    ENGINE_MISSING,
    MODEL_RETIRED,
    PROVIDER_DOWN,
    Availability,
)
from app.asr.types import EngineSpec
from app.core.clock import utcnow
from app.core.config import CloudSettings
from app.core.errors import InvalidInputError
from app.db.session import Database, SystemSession, TenantSession
from app.models import CallState, ExternalCall, Job, Workspace

PROVIDERS = tuple(name for name, info in ENGINES.items() if info.needs_network)
DAY = timedelta(hours=24)
OPEN = (CallState.PLANNED, CallState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls of the last 24 hours come to, over all workspaces."""

    calls: int
    micros: int


async def spent_today(session: SystemSession) -> Spent:
    """Counts every call that was begun; one that failed costs nothing."""
    since = await session.database_now() - DAY
    cost = sa.case((ExternalCall.state == CallState.FAILED, 0), else_=ExternalCall.cost_micros)
    row = (
        await session.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(cost), 0)).where(
                ExternalCall.created_at > since
            )
        )
    ).one()
    return Spent(int(row[0]), int(row[1]))


class CloudGate:
    """Answers for all providers. `breakers` are shared with the clients that ask them."""

    def __init__(
        self,
        settings: CloudSettings,
        database: Database,
        breakers: Mapping[str, CircuitBreaker],
        *,
        today: Callable[[], date] = lambda: utcnow().date(),
    ) -> None:
        self._settings = settings
        self._database = database
        self._breakers = breakers
        self._today = today

    def models(self, engine: str) -> list[str]:
        """The models that a job may name, the default first."""
        settings = self._settings
        if engine == "assemblyai":
            return list(settings.assemblyai_speech_models)
        known = OPENAI_MODELS if is_openai(settings.openai_base_url) else ()
        return list(dict.fromkeys([settings.openai_model, *known]))

    async def look(
        self,
        workspace_id: UUID | None = None,
        *,
        model: str | None = None,
        translate: bool = False,
        begun_with: str | None = None,
    ) -> dict[str, Availability]:
        """Each provider, for one workspace or, without its id, as far as the server goes.

        `begun_with` is a provider that has already worked for the job: the limits of the day do not take it away
        from it, they are asked again before each new call. One that holds the whole recording may finish it although
        the workspace has forbidden providers since: that ends with its deletion there.
        """
        if not any(self._has_key(engine) and installed(engine) for engine in PROVIDERS):
            return {engine: self._refusal(engine) or Availability(None) for engine in PROVIDERS}
        async with self._database.system(read_only=True) as session:
            spent = await spent_today(session)
            allowed = True
            if workspace_id is not None:
                workspace = await session.get(Workspace, workspace_id)
                allowed = workspace is not None and workspace.allow_cloud
        return {
            engine: self._refusal(engine)
            or (None if allowed or (engine == begun_with == "assemblyai") else _forbidden())
            or self._model_refusal(engine, model, translate)
            or self._down(engine)
            or (None if engine == begun_with else self._over(spent))
            or Availability(EngineSpec(engine, model=model or self.models(engine)[0]))
            for engine in PROVIDERS
        }

    async def begun_with(self, job: Job) -> str | None:
        """The provider that holds the recording of this run, or has made part of its text."""
        async with self._database.system(read_only=True) as session:
            holding = (
                await session.execute(
                    sa.select(ExternalCall.engine)
                    .where(
                        ExternalCall.job_id == job.id,
                        ExternalCall.run == job.run,
                        ExternalCall.state.in_(OPEN),
                        ExternalCall.upload_url.is_not(None),
                    )
                    .limit(1)
                )
            ).scalar_one_or_none()
        if holding is not None:
            return holding
        return job.engine if job.engine in PROVIDERS and job.windows_committed else None

    async def check_request(
        self, session: TenantSession, engine: str | None, model: str | None = None
    ) -> None:
        """A job that names a provider which can never take it is refused at once; one that only has to wait is not.

        Raises `InvalidInputError` `cloud_not_configured`, `cloud_forbidden` or `validation_error`.
        """
        if engine not in PROVIDERS:
            return
        refusal = self._refusal(engine)
        if refusal is not None:
            raise InvalidInputError(
                f"This server cannot use {engine}: {refusal.reason}.", code=refusal.code, field="engine"
            )
        workspace = await session.get(Workspace, session.workspace_id)
        if workspace is None or not workspace.allow_cloud:
            raise InvalidInputError(
                f"{engine} is a provider, and this workspace keeps its recordings on this server. An owner can allow "
                "providers in the settings of the workspace.",
                code=CLOUD_FORBIDDEN,
                field="engine",
            )
        if model is not None and model not in self.models(engine):
            raise InvalidInputError(
                f"{engine} has no model named {model}. Choose from {', '.join(self.models(engine))}.",
                field="model",
            )

    def over_limit(self, spent: Spent, cost_micros: int) -> Availability | None:
        """Why one more call that costs so much must not be made; None where it may."""
        limit = self._spend_micros
        if spent.calls < self._settings.cloud_daily_limit and limit and spent.micros + cost_micros > limit:
            return Availability(None, CLOUD_SPEND_LIMIT, self._spend_sentence())
        return self._over(spent)

    def can_ever_afford(self, cost_micros: int) -> bool:
        """Whether the limit of a day has room for such a call at all."""
        return not self._spend_micros or cost_micros <= self._spend_micros

    def cost_micros(self, engine: str, audio_ms: int) -> int:
        """What so much audio is expected to cost, in millionths of a US dollar."""
        settings = self._settings
        usd = settings.assemblyai_usd_per_hour if engine == "assemblyai" else settings.openai_usd_per_hour
        return round(audio_ms / 3_600_000 * usd * 1_000_000)

    @property
    def _spend_micros(self) -> int:
        return round(self._settings.cloud_daily_spend_usd * 1_000_000)

    def _has_key(self, engine: str) -> bool:
        settings = self._settings
        if engine == "assemblyai":
            return bool(settings.assemblyai_api_key.get_secret_value())
        return bool(settings.openai_api_key.get_secret_value() or settings.openai_base_url)

    def _refusal(self, engine: str) -> Availability | None:
        """What only the operator can change."""
        if not installed(engine):
            return Availability(None, ENGINE_MISSING, "not installed on this machine")
        if not self._has_key(engine):
            wanted = (
                "ASSEMBLYAI_API_KEY is"
                if engine == "assemblyai"
                else "OPENAI_API_KEY and OPENAI_BASE_URL are"
            )
            return Availability(None, CLOUD_NOT_CONFIGURED, f"{wanted} not set")
        return None

    def _model_refusal(self, engine: str, model: str | None, translate: bool) -> Availability | None:
        if engine != "openai":
            return None
        found = remote_model(model or self._settings.openai_model, self._settings.openai_base_url)
        retired = retirement_refusal(found, self._today())
        if retired is not None:
            return Availability(None, MODEL_RETIRED, retired)
        if translate and not found.translates:
            return Availability(None, "translate", f"its model {found.name} cannot translate")
        return None

    def _down(self, engine: str) -> Availability | None:
        retry_in = self._breakers[engine].retry_in
        if retry_in is None:
            return None
        return Availability(
            None, PROVIDER_DOWN, f"it failed several times in a row; the next try is in {retry_in:.0f} s"
        )

    def _over(self, spent: Spent) -> Availability | None:
        if spent.calls >= self._settings.cloud_daily_limit:
            limit = self._settings.cloud_daily_limit
            return Availability(
                None,
                CLOUD_LIMIT,
                f"the {limit} calls that CLOUD_DAILY_LIMIT allows in 24 hours are used up"
                if limit
                else "CLOUD_DAILY_LIMIT is 0: no calls",
            )
        if self._spend_micros and spent.micros >= self._spend_micros:
            return Availability(None, CLOUD_SPEND_LIMIT, self._spend_sentence())
        return None

    def _spend_sentence(self) -> str:
        return f"the {self._settings.cloud_daily_spend_usd:g} dollars of CLOUD_DAILY_SPEND_USD are used up for 24 hours"


def _forbidden() -> Availability:
    return Availability(None, CLOUD_FORBIDDEN, "this workspace keeps its recordings on this server")
