"""Many threads at the first use of a message type.

msgspec builds what it knows of a type at its first use, and a thread that finds it half built takes the process down. A process that has
just started meets exactly that: calls that come all at once. So these tests start processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from signal import SIGSEGV
from typing import Any

import msgspec
import pytest

import flight_server.process.worker  # everything that a server imports before its port opens
from flight_server.protocol import exchange_messages, messages, tickets
from flight_server.protocol.messages import DECODERS, decode

THREADS = 48
RUNS = 8

# Each piece of work by all threads at once, with a switch of threads between any two instructions: what a loaded machine does now and then.
AT_ONCE = """
import resource, sys, threading
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

def at_once(works, threads):
    start = threading.Barrier(threads)
    def run():
        for work in works:
            start.wait()
            work()
    running = [threading.Thread(target=run) for _ in range(threads)]
    sys.setswitchinterval(1e-6)
    for thread in running: thread.start()
    for thread in running: thread.join()
"""

FRESH_TYPES = """
import functools, msgspec
def fresh():
    inner = [msgspec.defstruct(f"Inner{n}", [(f"field{m}", int) for m in range(10)]) for n in range(10)]
    return msgspec.defstruct("Outer", [(f"part{n}", inner[n] | None, None) for n in range(10)] + [("last", list[inner[0]], msgspec.UNSET)])
at_once([functools.partial(msgspec.json.decode, b'{"last":[]}', type=fresh()) for _ in range(50)], int(sys.argv[1]))
print("alive")
"""

OUR_TYPES = """
import functools, importlib, json
import flight_server.process.worker
from flight_server.protocol.messages import decode
samples = [(body.encode(), getattr(importlib.import_module(module), name)) for module, name, body in json.load(sys.stdin)]
at_once([functools.partial(decode, body, kind) for body, kind in samples], int(sys.argv[1]))
print("alive")
"""


def run(program: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", AT_ONCE + program, str(THREADS)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120)


def sample(kind: msgspec.inspect.Type) -> Any:
    """A value of a type as it stands in JSON, with everything in it that can be there."""
    match kind:
        case msgspec.inspect.StructType() | msgspec.inspect.DataclassType() | msgspec.inspect.TypedDictType():
            return {field.encode_name: sample(field.type) for field in kind.fields}
        case msgspec.inspect.NamedTupleType():
            return [sample(field.type) for field in kind.fields]
        case msgspec.inspect.TupleType():
            return [sample(item) for item in kind.item_types]
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType() | msgspec.inspect.SetType() | msgspec.inspect.FrozenSetType():
            return [sample(kind.item_type)]
        case msgspec.inspect.DictType():
            return {"key": sample(kind.value_type)}
        case msgspec.inspect.UnionType():
            return sample(next(part for part in kind.types if not isinstance(part, msgspec.inspect.NoneType)))
        case msgspec.inspect.LiteralType():
            return kind.values[0]
        case msgspec.inspect.IntType():
            return 1
        case msgspec.inspect.FloatType():
            return 1.5
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.RawType():
            return {}
        case msgspec.inspect.StrType() | msgspec.inspect.BytesType() | msgspec.inspect.AnyType():
            return "AAAA"
    raise AssertionError(f"no sample for {kind}")


def samples() -> list[tuple[str, str, str]]:
    """Module, name and JSON of every message; those with the most in them first, while what is in them is fresh, too."""
    told = [(kind.__module__, kind.__qualname__, json.dumps(sample(msgspec.inspect.type_info(kind)))) for kind in DECODERS]
    return sorted(told, key=lambda one: len(one[2]), reverse=True)


def test_a_fresh_type_that_many_threads_decode_at_once_takes_the_process_down() -> None:
    statuses: list[int] = []
    while len(statuses) < RUNS and -SIGSEGV not in statuses:
        statuses.append(run(FRESH_TYPES).returncode)
    if not any(statuses):
        pytest.skip(f"msgspec {msgspec.__version__} builds types safely: build_decoders may go")
    assert statuses[-1] == -SIGSEGV


def test_our_messages_survive_many_threads_that_decode_them_first() -> None:
    bodies = json.dumps(samples())
    ends = [run(OUR_TYPES, bodies) for _ in range(RUNS)]
    assert [(end.returncode, end.stdout, end.stderr) for end in ends] == [(0, "alive\n", "")] * RUNS


def test_every_struct_of_the_protocol_has_its_decoder_before_the_port_opens() -> None:
    assert flight_server.process.worker is not None
    structs = {
        kind
        for module in (messages, exchange_messages, tickets)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    }
    assert len(structs) > 25
    assert structs <= set(DECODERS)


def test_a_message_without_a_decoder_is_refused() -> None:
    class Forgotten(msgspec.Struct):
        number: int

    with pytest.raises(AssertionError, match="Forgotten has no decoder"):
        decode(b'{"number": 1}', Forgotten)
