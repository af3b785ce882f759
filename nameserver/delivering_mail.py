"""Messages as mail: how they look, and handing them to a relay or to a directory."""

from __future__ import annotations

import os
import smtplib
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from nameserver.delivering_errors import Failure
from nameserver.settings_alerts import MailSettings
from storage.deliveries import Delivery

# With a batch that takes longer than this the rest waits for the next one.
LONGEST_BATCH = 240.0  # seconds
NOT_SET_UP = "mail is not set up here: set host (or directory) and sender of [mail]"


def message_of(delivery: Delivery, sender: str) -> EmailMessage:
    """Return the mail of a delivery; its Message-ID is the same at each attempt."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = delivery.recipient
    message["Subject"] = delivery.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(delivery.created, UTC))
    message["Message-ID"] = f"<{delivery.token}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: no out-of-office replies
    message.set_content(delivery.body, charset="utf-8")
    return message


def send_mails(
    deliveries: Sequence[Delivery], settings: MailSettings
) -> Iterator[tuple[Delivery, Failure | None]]:
    """Send mails one by one and yield what became of each; blocks.

    Those after the last one that is yielded were not tried.
    """
    if not settings.is_set_up:
        yield from ((one, Failure(NOT_SET_UP)) for one in deliveries)
    elif settings.directory:
        yield from ((one, write(one, settings)) for one in deliveries)
    else:
        yield from relay(deliveries, settings)


def write(delivery: Delivery, settings: MailSettings) -> Failure | None:
    """Write a mail as a file of its own, whole or not at all; a repeat takes its place."""
    directory = Path(settings.directory)
    target = directory / f"{delivery.token}.eml"
    aside = target.with_suffix(".part")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(message_of(delivery, settings.sender).as_bytes())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        return Failure(f"{target}: {error.strerror or error}", everybody=True)
    return None


def relay(
    deliveries: Sequence[Delivery], settings: MailSettings
) -> Iterator[tuple[Delivery, Failure | None]]:
    """Send mails over one connection to the relay."""
    deadline = time.monotonic() + LONGEST_BATCH
    tried = 0
    try:
        with connected(settings) as smtp:
            for one in deliveries:
                if time.monotonic() > deadline:
                    return
                failure = submit(smtp, one, settings.sender)
                tried += 1
                yield one, failure
    except (OSError, smtplib.SMTPException) as error:
        if tried < len(deliveries):  # else the farewell failed, which harms nothing
            reason = f"{settings.host}@{settings.relay_port}: {reason_of(error)}"
            yield deliveries[tried], Failure(reason, everybody=True)


@contextmanager
def connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """Connect to the relay, with TLS and login as set; raises ``OSError``, ``SMTPException``."""
    host, port = settings.host, settings.relay_port
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    if settings.security == "tls":
        opened: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=settings.timeout, context=context
        )
    else:
        opened = smtplib.SMTP(host, port, timeout=settings.timeout)
    with opened as smtp:
        if settings.security == "starttls":
            smtp.starttls(context=context)
        if settings.user:
            smtp.login(settings.user, settings.secret())
        yield smtp


def submit(smtp: smtplib.SMTP, delivery: Delivery, sender: str) -> Failure | None:
    """Submit one mail; raises where the connection is of no more use."""
    try:
        smtp.send_message(message_of(delivery, sender), sender, [delivery.recipient])
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients[delivery.recipient]
        return Failure(f"refused: {code} {decoded(text)}", lasting=code >= 500)
    except smtplib.SMTPDataError as error:
        reason = f"refused: {error.smtp_code} {decoded(error.smtp_error)}"
        return Failure(reason, lasting=error.smtp_code >= 500)
    except smtplib.SMTPNotSupportedError as error:  # an address that this relay cannot take
        return Failure(str(error), lasting=True)
    except smtplib.SMTPSenderRefused as error:
        reason = f"sender refused: {error.smtp_code} {decoded(error.smtp_error)}"
        return Failure(reason, everybody=True)
    except (ValueError, UnicodeError) as error:
        return Failure(f"it cannot be written as mail: {error}", lasting=True)
    return None


def reason_of(error: Exception) -> str:
    """Return what went wrong with the relay, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"login refused: {error.smtp_code} {decoded(error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {decoded(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def decoded(text: bytes | str) -> str:
    """Return what a relay said, on one line."""
    return " ".join((text.decode(errors="replace") if isinstance(text, bytes) else text).split())
