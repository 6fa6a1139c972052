"""The steps by which a ledger became what it is; Alembic runs them when an older ledger is opened."""
