"""What routers ask for: the container, database sessions that commit before the reply, and who is calling."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.db.session import SystemSession
from app.factory import Container


def get_container(connection: HTTPConnection) -> Container:
    """Built in the lifespan; one a process."""
    container: Container = connection.app.state.container
    return container


ContainerDep = Annotated[Container, Depends(get_container)]


async def _system_write(container: ContainerDep) -> AsyncIterator[SystemSession]:
    async with container.database.system() as session:
        yield session


# scope="function": the transaction ends when the endpoint returns, before the answer leaves.
SystemWrite = Annotated[SystemSession, Depends(_system_write, scope="function")]
