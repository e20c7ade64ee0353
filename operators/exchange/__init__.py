"""Exchanges: ``records`` (batches with an identity) ──► ``exchange`` (a queue shared by threads) around ``leases`` (who works on what
until when: pure, without clock or thread); ``heartbeats`` keep leases alive while the kernel works.
"""
