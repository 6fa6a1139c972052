"""Every command: its module is ``campaign_cli.cli.NAME``, imported only when it is called."""

from __future__ import annotations

from typing import Final

from campaign_cli.i18n import N_

COMMANDS: Final[dict[str, str]] = {
    "init": N_("Make a workspace with an accounts file, a first plan and a place for secrets."),
    "check": N_("Check plans and say every problem with its place and its fix. No network, no ledger."),
    "preview": N_("Show every post as each network will show it."),
    "rehearse": N_("Publish a whole plan on the local stage, over real HTTP, on a compressed clock."),
    "queue": N_("Show what differs from the ledger and queue it."),
    "approve": N_("Approve what is queued, exactly as it will be sent."),
    "publish": N_("Publish what is due, once, and end: for cron."),
    "run": N_("Publish at every minute, until it is stopped."),
    "worker": N_("Send what `run --engine pgqueuer` hands over, on any machine."),
    "post": N_("Queue or send one message without a plan."),
    "status": N_("Show deliveries and their states."),
    "log": N_("Show what happened, by whom and when."),
    "evidence": N_("Write one document that ties plan, approvals, requests, receipts and log together."),
    "hold": N_("Stop what has not gone out yet."),
    "release": N_("End a hold and decide on each post that is late by now."),
    "withdraw": N_("Take down what went out."),
    "crisis": N_("Stop everything but a statement, and review it all afterwards."),
    "cancel": N_("Cancel waiting deliveries."),
    "retry": N_("Queue failed, missed or cancelled deliveries again."),
    "resolve": N_("Settle an uncertain delivery by hand."),
    "accounts": N_("Add, list and check accounts, log in to them, and list the networks."),
    "secrets": N_("Move the secrets of .env into the system's keyring."),
    "cron": N_("Print the crontab line and the systemd timer for this workspace."),
    "ledger": N_("Look after the ledger."),
    "schema": N_("Write the JSON Schema of plans, for editors."),
    "stage": N_("Run the local rehearsal server that plays every platform."),
}
