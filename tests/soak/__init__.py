"""The soak: the real command is killed hundreds of times while it publishes, and everything is counted afterwards.

``make soak`` runs all of it (about twenty minutes on two cores) and the tests of the other promises, ``python -m soak
--short`` (with ``tests`` on PYTHONPATH) a minute or two of it, which ``make test-real`` does. Figures go to stdout;
exit code 1 says that a promise is broken. What was broken is told with its delivery, and that batch's folder is kept.

How it works:

- ``server`` is a process of its own that counts what it accepts. It plays real Mastodon (``keys``: it honours
  idempotency keys), a compatible server (``readable``: it ignores them, but can be read back) and Telegram's Bot API
  (``blind``: neither), from what those networks document; it shares no code with the product. It loses answers, resets
  connections, answers 429 and 503, and stops at exact points on order.
- ``crew`` starts ``python -m campaign_cli publish | run | worker``, nothing patched, and kills it with SIGKILL.
- ``kills`` arms one point after the other: after the claim and after a later attempt (seen in the ledger from outside,
  while the server keeps requests from being read), mid-request, after acceptance, before settling (the harness holds
  the ledger's write lock), mid-thread, mid-upload, mid-look-up, and random instants.
- ``clock`` moves the wall clock of every process, also of the server and of PostgreSQL, forward by a lease after each
  kill (tools/ahead.c), for leases last 90 s and absence needs 90 s more.
- ``compare`` holds what the ledger says against what the server got.

A set-up is run in batches, each with a workspace, a ledger and a server of its own. Finished batches are kept in
``.soak/progress.json`` until the product's code changes, so that an interrupted soak goes on where it stopped.
"""
