"""Reading WhatsApp's answers: the codes of the Cloud API, beside those of the Graph API.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from campaign_cli.errors import Failure, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.i18n import _
from campaign_cli.platforms import graph_answers
from campaign_cli.platforms.answers import NOT_TAKEN, json_object
from campaign_cli.platforms.base import Answer, Session
from campaign_cli.platforms.graph_answers import GraphError
from campaign_cli.platforms.whatsapp_list import without_numbers

TITLE: Final = "WhatsApp"
THIS_PERSON: Final = frozenset({"130472", "131021", "131026", "131030", "131049", "131050"})
"""``Failure.code`` of what is refused for one recipient alone: the others are written to."""
_THROTTLED: Final = frozenset({80007, 130429, 131056, 131057, 133016})
_TOKEN: Final = frozenset({0, 190})
_DOUBTFUL: Final = frozenset({131000, 131016})  # "something went wrong", "temporarily unavailable": perhaps sent


def errors(session: Session, *, creating: bool) -> Callable[[Answer], Exception | None]:
    """The table for ``Request.errors``. No message of it holds a telephone number, whatever Meta repeats."""
    table = graph_answers.errors(session, title=TITLE, creating=creating, own=_own(session, creating=creating))

    def read(answer: Answer) -> Exception | None:
        failure = table(answer) or _bare(answer, creating=creating)
        return cleaned(failure) if isinstance(failure, Failure) else failure

    return read


def cleaned(failure: Failure) -> Failure:
    """The same, without anything in its words that can be a telephone number."""
    failure.message = without_numbers(failure.message)
    failure.args = (failure.message,)
    return failure


def _own(session: Session, *, creating: bool) -> Callable[[GraphError, Answer], Failure | None]:
    def read(error: GraphError, answer: Answer) -> Failure | None:
        message, status = _message(error, answer), answer.status
        if error.code in _THROTTLED:
            return graph_answers.throttled(error, answer, session=session, title=TITLE)
        if error.code in _TOKEN:
            fix = _("Make a new token of a system user with whatsapp_business_messaging in Meta Business Suite.")
            return Unauthorized(message, status=status, code=error.name, fix=fix)
        if error.code in _DOUBTFUL:
            return (Unconfirmed if creating else Unavailable)(message, status=status, code=error.name)
        if 130000 <= error.code < 140000 or error.code == 33:
            return Rejected(message, status=status, code=error.name, fix=_fix(error.code))
        return None

    return read


def _message(error: GraphError, answer: Answer) -> str:
    """With ``error_data.details``, which says more than the title."""
    data: Any = json_object(answer.text).get("error", {}).get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    text = f"{error.text}: {details}" if isinstance(details, str) and details else error.text
    return _("{title} refused it: {text} (error {code})").format(title=TITLE, text=text, code=error.name)


def _fix(code: int) -> str:
    if 132000 <= code < 133000:
        return _(
            "Compare the template in WhatsApp Manager: its name, its language, whether it is approved, its header, and "
            "how many parameters its text has (whatsapp_template, whatsapp_language, whatsapp_parameters)."
        )
    return {
        33: _("Copy the phone number ID from WhatsApp Manager, API Setup, into accounts.yaml."),
        130497: _("WhatsApp does not let this business write to that country."),
        131008: _("A parameter is missing: say in whatsapp_parameters what the template asks for."),
        131009: _("A value is not one that WhatsApp takes: look at the template's parameters."),
        131031: _("The business account is locked: look at it in WhatsApp Manager."),
        131042: _("WhatsApp wants to be paid: check the payment method in WhatsApp Manager."),
        131045: _("The number is not registered for the Cloud API: register it in WhatsApp Manager."),
        131047: _("Only an approved template may be sent now: name one as whatsapp_template."),
        131048: _("Too many recipients blocked or reported messages: check the quality in WhatsApp Manager, and wait."),
        131053: _("The picture could not be taken up: write a variant with another one."),
        133010: _("The number is not registered for the Cloud API: register it in WhatsApp Manager."),
    }.get(code, "")


def _bare(answer: Answer, *, creating: bool) -> Failure | None:
    """An error without Meta's own words: what a body says is not repeated, since it may hold a number."""
    status = answer.status
    message = _("{title} answered {status}.").format(title=TITLE, status=status)
    if status < 400:
        return None
    if status == 401:
        return Unauthorized(message, status=status)
    if status in NOT_TAKEN:
        return Unavailable(message, status=status)
    if status < 500:
        return Rejected(message, status=status)
    return (Unconfirmed if creating else Unavailable)(message, status=status)
