"""Around every method that Flight calls: only errors that the client may see get out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Concatenate, ParamSpec, TypeVar

import pyarrow.flight as flight

from flight_server.protocol.status import wire_error

Self = TypeVar("Self")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Item = TypeVar("Item")


def guarded(
    method: Callable[Concatenate[Self, flight.ServerCallContext, Arguments], Result],
) -> Callable[Concatenate[Self, flight.ServerCallContext, Arguments], Result]:
    """Lets only wire errors out of a Flight method."""
    schema_only = method.__name__ == "get_schema"

    def call(self: Self, context: flight.ServerCallContext, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return method(self, context, *args, **kwargs)
        except Exception as error:
            raise wire_error(error, schema_only=schema_only) from None

    call.__doc__ = method.__doc__
    return call


def guarded_items(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Lets only wire errors out of a stream; closes ``items`` when the client goes away."""
    try:
        yield from items
    except Exception as error:
        raise wire_error(error) from None
