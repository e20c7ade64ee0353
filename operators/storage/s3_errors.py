"""What an S3 server or its library says, in words that name the connection and the remedy."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from operators.errors import StorageAway, StorageError
from operators.storage.connections import Connection

_WRONG_KEYS = frozenset(
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthorizationHeaderMalformed", "RequestTimeTooSkewed")
)
_FORBIDDEN = frozenset(("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "UnauthorizedAccess"))
_NOT_FOUND = frozenset(("NoSuchKey", "404", "NotFound"))
_CHANGED = frozenset(("PreconditionFailed", "412", "InvalidRange", "416"))
_RETRYABLE_CODES = frozenset(
    ("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests")
)
_NO_KEYS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)
_UNREACHABLE = (boto.HTTPClientError, boto.ConnectionError, aiohttp.ClientError, asyncio.TimeoutError, OSError, ResponseParserError)


class ShortBody(OSError):
    """A response ended before all of its bytes had come."""


class ListedVersionGone(Exception):
    """The object is not what it was when it was listed, or gone (``missing``)."""

    def __init__(self, *, missing: bool) -> None:
        self.missing = missing
        super().__init__(missing)


def meaning(error: Exception, connection: Connection, bucket: str) -> ListedVersionGone | StorageError | None:
    """What it means that a request raised ``error``; None for what no request should raise. Where it may pass, it is ``StorageAway``."""
    if isinstance(error, ListedVersionGone):
        return error
    if isinstance(error, boto.ClientError):
        return _answered(error, connection, bucket)
    if isinstance(error, _NO_KEYS):
        return _failure(connection, "has no keys", "Set 'key' and 'secret', or the usual AWS variables or profile")
    if isinstance(error, boto.ParamValidationError | boto.InvalidRegionError):
        # What is wrong stands in the last line.
        reason = str(error).strip().splitlines()[-1]
        return _failure(connection, f"is wrong: {reason}", "Correct options 'url' and 'region'")
    if isinstance(error, _UNREACHABLE):
        return _unreachable(error, connection)
    if isinstance(error, ValueError | boto.BotoCoreError):
        return _failure(connection, f"cannot be used: {_first_line(error)}", "Correct options 'url' and 'endpoint_url'")
    return None


def _answered(error: boto.ClientError, connection: Connection, bucket: str) -> ListedVersionGone | StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket":
        return _failure(connection, f"has no bucket: '{bucket}' does not exist there", "Create the bucket, or correct option 'url'")
    if code in _NOT_FOUND or code in _CHANGED:
        return ListedVersionGone(missing=code in _NOT_FOUND)
    if code in _WRONG_KEYS:
        remedy = "Check options 'key', 'secret' and 'region' (or the AWS variables that stand in for them)"
        return _failure(connection, f"was refused by its server ({code}): the key or the secret is wrong", remedy)
    if code in _FORBIDDEN or status in (401, 403):
        remedy = "Check options 'key' and 'secret', and what that key may do in the bucket"
        return _failure(connection, f"was refused by its server ({code}): its key may not do this in '{bucket}'", remedy)
    if code in _RETRYABLE_CODES or status >= 500 or status == 429:
        reason = f"is out of order: its server answers {code or status}"
        return _away(connection, reason, "Try again; if it stays, look at the storage server")
    if status in (301, 307) or code in ("PermanentRedirect", "IllegalLocationConstraintException"):
        return _failure(connection, f"is in another region than '{connection.region}'", "Correct option 'region'")
    return not_s3(connection, code or str(status))


def not_s3(connection: Connection, answer: str) -> StorageError:
    """The error for an answer that no S3 server would give."""
    reason = f"got an answer that it does not understand ({answer})"
    return _failure(connection, reason, "Check that option 'endpoint_url' is that of an S3 server")


def _unreachable(error: Exception, connection: Connection) -> StorageAway:
    if isinstance(error, boto.SSLError):
        return _away(connection, f"cannot be reached: no TLS at {_place(connection)}", "Check http or https in option 'endpoint_url'")
    silent = isinstance(error, asyncio.TimeoutError | boto.ConnectTimeoutError | boto.ReadTimeoutError)
    if isinstance(error, ShortBody | aiohttp.ClientPayloadError | ResponseParserError | boto.ResponseStreamingError):
        return _away(connection, f"breaks off its answers ({_place(connection)})", "Try again; if it stays, look at the network")
    reason = "does not answer in time" if silent else "does not answer"
    return _away(
        connection, f"cannot be reached: {_place(connection)} {reason}", "Check option 'endpoint_url', and that the storage server is up"
    )


def _place(connection: Connection) -> str:
    if connection.endpoint_url is None:
        return "the S3 server"
    parts = urlsplit(connection.endpoint_url)
    # Without what may stand before an @: that would be a password.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _failure(connection: Connection, what: str, remedy: str) -> StorageError:
    return StorageError(f"the connection '{connection.name}' {what}", remedy=f"{remedy} (connection '{connection.name}').")


def _away(connection: Connection, what: str, remedy: str) -> StorageAway:
    """What passes, perhaps, if one waits."""
    return StorageAway(f"the connection '{connection.name}' {what}", remedy=f"{remedy} (connection '{connection.name}').")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
