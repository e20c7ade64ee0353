"""What the operators of a running plan say of themselves: its fragments, and the exchanges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from flight_server.exchanges.distributed_fragment import DistributedFragment
from flight_server.exchanges.names import exchange_name, producer_name
from flight_server.exchanges.once_fragment import OnceFragment
from flight_server.protocol.messages import FilterStatus, OperatorPhase, OperatorStatus
from operators.exchange.leases import LeaseStatistics
from planner.choices import division_words
from planner.operations import title
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, ScanInput

Operator = DistributedFragment | OnceFragment


class FragmentFacts:
    """What the plan alone says of a fragment; ``producers`` are those of all exchanges."""

    def __init__(self, fragment: Fragment, producers: Mapping[int, Fragment]) -> None:
        self._fragment = fragment
        self.tables = _tables(fragment, producers)
        self.title = title(fragment.sql, self.tables, len(fragment.inputs))
        self.division = division_words(fragment.division)
        self.inputs = [exchange_name(arm.exchange) for arm in fragment.inputs if isinstance(arm, ExchangeInput)]
        self.inputs += dict.fromkeys(exchange_name(each.exchange) for each in fragment.filters)
        self.records_total = len(fragment.shares) or max(1, sum(_records(arm, producers) for arm in fragment.inputs))
        """Its shares; of a fragment that runs once, the splits and the shares of others that it is made from."""

    @cached_property
    def files_bytes(self) -> int:
        """The whole size of the files that it reads something of."""
        scans = (arm for arm in self._fragment.inputs if isinstance(arm, ScanInput))
        return sum(sum({split.file.path: split.file.size_bytes for split in scan.splits}.values()) for scan in scans)


def facts_of(plan: PhysicalPlan) -> dict[int, FragmentFacts]:
    """The facts of all fragments, by their ids."""
    producers = {fragment.output: fragment for fragment in plan.fragments}
    return {fragment.id: FragmentFacts(fragment, producers) for fragment in plan.fragments}


def producer_status(operator: Operator, facts: FragmentFacts, filters: Sequence[FilterStatus] = ()) -> OperatorStatus:
    """A fragment, as of now; ``filters`` are what they spared it."""
    match operator:
        case DistributedFragment():
            # Shares of buckets are made when the exchanges that they come from are complete.
            total = len(operator.keys) if operator.started else facts.records_total
            done, queue = operator.records_done(), operator.shares.statistics()
        case OnceFragment():
            total = facts.records_total
            done, queue = total if operator.ended else 0, LeaseStatistics()
    state: OperatorPhase = "completed" if done == total else "running" if operator.started else "waiting"
    if isinstance(operator, OnceFragment) and operator.dropped:
        state = "failed"
    instances = [msgspec.structs.replace(instance, state=state) for instance in operator.instances()]
    return OperatorStatus(
        operator=producer_name(operator.fragment),
        kind="producer",
        title=facts.title,
        state=state,
        inputs=facts.inputs,
        records_total=total,
        records_done=done,
        rows=sum(instance.rows for instance in instances),
        bytes=sum(instance.bytes for instance in instances),
        seconds=sum(instance.seconds for instance in instances),
        queue_depth=queue.queued,
        leases=queue.leased,
        retries=queue.retries,
        scanned_bytes=sum(instance.scanned_bytes for instance in instances),
        files_bytes=facts.files_bytes,
        requests=sum(instance.requests for instance in instances),
        instances=instances,
        spread=operator.spread() if isinstance(operator, DistributedFragment) else None,
        division=facts.division,
        filters=list(filters),
    )


def exchange_status(operator: Operator, planned: PlannedExchange, facts: FragmentFacts) -> OperatorStatus:
    """The exchange that holds what a fragment puts out, as of now."""
    held = (operator.gathered if operator.hashed is None else operator.hashed).statistics()
    complete = operator.gathered.closed if operator.hashed is None else operator.hashed.complete()
    running: OperatorPhase = "running" if operator.started else "waiting"
    return OperatorStatus(
        operator=exchange_name(planned.id),
        kind="exchange",
        title=f"{f'{planned.label}:' if planned.label else planned.kind} {', '.join(facts.tables)}".rstrip(": "),
        state="failed" if isinstance(operator, OnceFragment) and operator.dropped else "completed" if complete else running,
        inputs=[producer_name(operator.fragment)],
        records_total=held.records,
        records_done=held.acked,
        rows=held.rows,
        bytes=held.bytes,
        queue_depth=held.queued,
        leases=held.leased,
        retries=held.retries,
        estimated_bytes=planned.estimated_bytes,
    )


def _tables(fragment: Fragment, producers: Mapping[int, Fragment]) -> list[str]:
    """The tables that its rows come from, each once, in the order of its inputs."""
    found: dict[str, None] = {}
    for arm in fragment.inputs:
        found |= dict.fromkeys([arm.table] if isinstance(arm, ScanInput) else _tables(producers[arm.exchange], producers))
    return list(found)


def _records(arm: ScanInput | ExchangeInput, producers: Mapping[int, Fragment]) -> int:
    return len(arm.splits) if isinstance(arm, ScanInput) else max(1, len(producers[arm.exchange].shares))
