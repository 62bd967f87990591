"""Whether what comes back is read: the bounce mailbox is logged in to, and a webhook has what it needs."""
from devdigest import credentials, signatures
from devdigest.config import Bounces, Config, ConfigError
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.imap import Mailbox, MailboxError
from devdigest.machine import Machine
from devdigest.reports import Alarm

_BY_PUBLIC_KEY = ("ses", "sendgrid")        # whose posts openssl proves


def bounces(config: Config, machine: Machine) -> Finding:
    settings = config.bounces
    if alarms := Alarm.open():
        return Finding("bounces", RED, f"issue {alarms[0].issue.day}: {alarms[0].said}", "devdigest bounces")
    if not settings.imap and not settings.webhook:
        if config.mail.transport == "maildir":
            return Finding("bounces", OK, "nothing comes back from a folder")
        return Finding("bounces", WARN, "nobody reads what comes back: dead addresses are mailed for ever",
                       "set [bounces] imap, or webhook")
    if settings.webhook in _BY_PUBLIC_KEY and machine.tool("openssl") is None:
        return Finding("bounces", RED, f"posts of {settings.webhook} cannot be proven: there is no openssl",
                       "sudo apt install openssl")
    try:
        if settings.imap:
            Mailbox(settings, credentials.imap_password(settings)).close()
        if settings.webhook:
            _webhook(settings)
    except (MailboxError, ConfigError) as error:
        return Finding("bounces", RED, str(error), "mend [bounces]; bounces wait meanwhile")
    ways = (settings.imap and f"{settings.address} at {settings.imap}, logged in", settings.webhook)
    return Finding("bounces", OK, ", ".join(filter(None, ways)))


def _webhook(settings: Bounces) -> None:
    """Raises ConfigError for a secret or a key that is missing, or no key."""
    least = credentials.LEAST_SECRET
    if len(credentials.webhook_secret(settings)) < least:
        raise ConfigError(f"the webhook's secret has less than {least} characters, so no post is taken")
    key = credentials.webhook_key(settings)
    if not key:
        raise ConfigError(f"the key of {settings.webhook} is missing, so none of its posts is believed")
    if settings.webhook == "ses" and not signatures.is_topic(key):
        raise ConfigError("the key of ses is no topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME, so none of "
                          "its posts is believed")
