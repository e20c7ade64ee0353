"""Exchanges: ``records`` (batches with an identity) ──► ``exchange`` (a queue shared by threads) around ``leases`` (who works on what
until when: pure, without clock or thread); ``heartbeats`` keep leases alive while the kernel works.

Of hash exchanges: ``bucket_store`` (what fragments here have put out, by bucket), ``bucket_places`` (whose output of a share counts) and
``bucket_shares`` (which buckets are a share, once it is known what is in them); the last two are pure.
"""
