"""A peer for the bench: its jobs on the stack's own tables, as one would write them with FastAPI and asyncpg.
See Tests/Bench/README.md for what it does and leaves out."""
import contextlib

from fastapi import FastAPI

import appointments
import billing
import login
import patients
import pharmacy
import visits
import waiting
from database import pool
from keys import Replayed

SERVICES = ("auth", "clinical", "scheduling", "queue", "billing", "pharmacy")


@contextlib.asynccontextmanager
async def lifespan(app):
    async with contextlib.AsyncExitStack() as stack:
        for service in SERVICES:
            setattr(app.state, service, await stack.enter_async_context(pool(service)))
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
for noun in (patients, appointments, waiting, visits, billing, pharmacy, login):
    app.include_router(noun.router)


@app.exception_handler(Replayed)
async def again(_, replayed):
    return replayed.answer


@app.get("/livez")
async def livez():
    return "ok"
