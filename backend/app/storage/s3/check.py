"""Whether a bucket does all that the store needs of it, told as findings with their repair."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx2

from app.core.clock import utcnow
from app.core.errors import AppError, NotFoundError
from app.storage.s3.client import Bucket
from app.storage.s3.cors import refused_origins, rule_for
from app.storage.s3.errors import ObjectChangedError, refusal
from app.storage.s3.signing import sign

_SKEW_SECONDS = (
    60  # buckets refuse signatures from a clock 15 minutes off; long before that something is wrong
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `repair` says what to do where it is not `ok`; `advice` breaks nothing."""

    ok: bool
    text: str
    repair: str = ""
    advice: bool = False


async def check_bucket(
    bucket: Bucket, origins: Sequence[str], *, fix: bool = False
) -> AsyncIterator[Finding]:
    """Findings, one by one. Ends early where the bucket cannot be reached at all. `fix` sets the CORS rule.

    Everything it writes lies under `probe/` and is removed again.
    """
    reached = await _reach(bucket)
    yield reached
    if not reached.ok:
        return
    yield await _clock(bucket)
    for look in (_objects, _lengths, _conditions, _multipart):
        try:
            yield await look(bucket)
        except AppError as error:
            yield Finding(False, f"{look.__doc__}: {_said(error)}", _RIGHTS)
    yield await _cors(bucket, origins, fix=fix)
    yield await _lifecycle(bucket)


_RIGHTS = (
    "Give the key the rights to read, write and delete objects, to list the bucket and to list and abort its "
    "multipart uploads (the role storage.editor on Yandex Cloud)."
)


async def _reach(bucket: Bucket) -> Finding:
    name = bucket.name
    try:
        await bucket.call("head_bucket")
    except NotFoundError:
        return Finding(
            False, f"There is no bucket {name}.", "Create it, or set S3_BUCKET to one that is there."
        )
    except AppError as error:
        code = refusal(error)
        if code is None:
            where = bucket.settings.endpoint_url or "Amazon S3"
            return Finding(False, f"{where} does not answer.", "Check S3_ENDPOINT_URL and the network.")
        return Finding(
            False,
            f"Bucket {name} refuses this key ({code}).",
            f"Check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and the region, {bucket.settings.signed_region}.",
        )
    return Finding(True, f"Bucket {name} answers.")


async def _clock(bucket: Bucket) -> Finding:
    answer = await bucket.call("head_bucket")
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return Finding(True, "The bucket does not tell the time.", advice=True)
    skew = abs((_time(date) - utcnow()).total_seconds())
    if skew > _SKEW_SECONDS:
        return Finding(
            False,
            f"This machine's clock is {skew:.0f} seconds off the bucket's.",
            "Set the clock, by NTP: signatures fail from 15 minutes on.",
        )
    return Finding(True, f"The clocks agree to {skew:.0f} seconds.")


def _time(date: str) -> datetime:
    return parsedate_to_datetime(date)


async def _objects(bucket: Bucket) -> Finding:
    """Writing, reading and deleting an object"""
    name = _probe(bucket)
    await bucket.call("put_object", Key=name, Body=b"probe")
    try:
        body = (await bucket.call("get_object", Key=name))["Body"]
        same = await bucket.run(body.read) == b"probe"
    finally:
        await bucket.call("delete_object", Key=name)
    if not same:
        return Finding(False, "The bucket does not give back what was written.", "Use another store.")
    return Finding(True, "Objects are written, read and deleted.")


async def _lengths(bucket: Bucket) -> Finding:
    """Sending to a signed address"""
    name = _probe(bucket)
    url = sign(bucket, "put_object", {"Key": name, "ContentLength": 5}, 60).url
    try:
        async with httpx2.AsyncClient(timeout=30) as client:
            right = await client.put(url, content=b"probe")
            longer = await client.put(url, content=b"probe!")
    except httpx2.HTTPError as error:
        return Finding(
            False,
            f"Signed addresses lead nowhere ({type(error).__name__}).",
            "Set S3_PUBLIC_ENDPOINT_URL to the address under which browsers reach the store.",
        )
    finally:
        with suppress(AppError):
            await bucket.call("delete_object", Key=name)
    if right.status_code >= 300:
        return Finding(
            False,
            f"A signed address is refused (status {right.status_code}).",
            "Check the secret key, the region and S3_ADDRESSING_STYLE.",
        )
    if longer.status_code < 300:
        return Finding(
            False,
            "The bucket takes more bytes than were signed.",
            "Nobody could be kept to the size they declared: use a store that checks signed headers.",
        )
    return Finding(True, "Signed addresses work, for exactly the length that was signed.")


async def _conditions(bucket: Bucket) -> Finding:
    """Copying an object on a condition"""
    name = _probe(bucket)
    await bucket.call("put_object", Key=name, Body=b"probe")
    copy = {"Key": f"{name}-copy", "CopySource": {"Bucket": bucket.name, "Key": name}}
    try:
        await bucket.call("copy_object", **copy, CopySourceIfMatch=f'"{"0" * 32}"')
    except ObjectChangedError:
        return Finding(True, "Copies are made of the very bytes that were checked.")
    finally:
        for written in (name, copy["Key"]):
            await bucket.call("delete_object", Key=written)
    return Finding(
        False,
        "The bucket copies an object that changed meanwhile.",
        "What was checked could be replaced before it is sealed: use a store with conditional copies.",
    )


async def _multipart(bucket: Bucket) -> Finding:
    """Multipart uploads"""
    name = _probe(bucket)
    upload = (await bucket.call("create_multipart_upload", Key=name))["UploadId"]
    try:
        await bucket.call("upload_part", Key=name, UploadId=upload, PartNumber=1, Body=b"probe")
        listed = await bucket.call("list_parts", Key=name, UploadId=upload)
        await bucket.call("list_multipart_uploads", Prefix=name)
    finally:
        await bucket.call("abort_multipart_upload", Key=name, UploadId=upload)
    if [part["Size"] for part in listed.get("Parts", [])] != [5]:
        return Finding(False, "The bucket does not list the parts of an upload.", "Use another store.")
    return Finding(True, "Multipart uploads are opened, listed and aborted.")


async def _cors(bucket: Bucket, origins: Sequence[str], *, fix: bool) -> Finding:
    try:
        rules = await _configured(bucket, "get_bucket_cors", "CORSRules")
        refused = refused_origins(rules, origins)
        if refused and fix:
            await bucket.call("put_bucket_cors", CORSConfiguration={"CORSRules": [*rules, rule_for(refused)]})
            return Finding(True, f"Pages of {', '.join(refused)} are allowed now.")
    except AppError as error:
        rule = json.dumps({"CORSRules": [rule_for(origins)]}, indent=2)
        return Finding(
            False, f"The CORS rules cannot be read or set: {_said(error)}", f"Set them by hand:\n{rule}"
        )
    if refused:
        wanted = json.dumps({"CORSRules": [*rules, rule_for(refused)]}, indent=2)
        return Finding(
            False,
            f"Pages of {', '.join(refused)} may not send to the bucket and read its ETag (CORS).",
            "Run `transcribe storage check --fix`, or set these rules (cors.json) by\n"
            f"aws s3api put-bucket-cors --bucket {bucket.name} --cors-configuration file://cors.json\n{wanted}",
        )
    return Finding(True, f"Pages of {', '.join(origins)} may send to the bucket (CORS).")


async def _lifecycle(bucket: Bucket) -> Finding:
    text = "Uploads that nobody finished are aborted by the bucket itself"
    with suppress(AppError):
        rules = await _configured(bucket, "get_bucket_lifecycle_configuration", "Rules")
        if any("AbortIncompleteMultipartUpload" in rule for rule in rules):
            return Finding(True, f"{text}.")
    return Finding(
        True,
        f"{text}: no such rule, or it cannot be read. The server aborts them, too, while it runs.",
        "A lifecycle rule with AbortIncompleteMultipartUpload after 2 days is a second net.",
        advice=True,
    )


async def _configured(bucket: Bucket, operation: str, name: str) -> list[dict[str, object]]:
    """The rules of a bucket; one that has none says so by an error."""
    try:
        return list((await bucket.call(operation)).get(name, []))
    except NotFoundError:
        return []


def _probe(bucket: Bucket) -> str:
    return bucket.key(f"probe/{uuid4().hex}")


def _said(error: AppError) -> str:
    return refusal(error) or error.message
