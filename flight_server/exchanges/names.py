"""What a plan's operators and exchanges are called, in statuses and between workers."""

from __future__ import annotations

from planner.physical import Fragment


def producer_name(fragment: Fragment) -> str:
    """The name of the operator that runs ``fragment``."""
    return f"fragment-{fragment.id}"


def exchange_name(exchange_id: int) -> str:
    """The name of the exchange operator that holds a fragment's output."""
    return f"exchange-{exchange_id}"


def shares_name(fragment: Fragment) -> str:
    """The name of the exchange from which instances of ``fragment`` lease shares."""
    return f"shares-{fragment.id}"


def table_name(query_id: str, exchange_id: int) -> str:
    """By what name other workers fetch what a broadcast exchange of a query holds."""
    return f"{query_id}.broadcast-{exchange_id}"


def output_name(query_id: str, exchange_id: int) -> str:
    """By what name a worker's outputs for an exchange of a query are pulled."""
    return f"{query_id}.{exchange_name(exchange_id)}"
