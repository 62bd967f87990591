"""Where providers post: only with the secret, only so much, answered at once."""
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NOW
from web_site import Visitor, visiting

from devdigest.config import Bounces, Config
from devdigest.reports import Hook

SECRET = "a-long-and-random-word"
MOST = 262_144


@pytest.fixture
def posted(config: Config, records: None, tmp_path: Path) -> Config:
    """The configuration with SendGrid's posts taken."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return replace(config, bounces=Bounces(webhook="sendgrid", secret_file=str(file)))


@pytest.fixture
def provider(posted: Config) -> Iterator[Visitor]:
    with visiting(posted) as visitor:
        yield visitor


def post(provider: Visitor, path: str = f"/hooks/sendgrid/{SECRET}", body: bytes = b"[]",
         **headers: str) -> int:
    return provider.ask("POST", path, data=body, headers=headers).status_code


def test_what_is_posted_is_kept_as_it_came_with_the_headers_that_prove_it(provider: Visitor) -> None:
    body = b'[{"email": "\xec\x97\x90"},\r\n\x00\xff]'
    assert post(provider, body=body, **{"X-Twilio-Email-Event-Webhook-Signature": "signed",
                                        "Content-Type": "application/json", "Cookie": "none"}) == 200
    hook = Hook.get()
    assert (hook.provider, hook.body, hook.size) == ("sendgrid", body, len(body))
    kept = json.loads(hook.headers)
    assert kept["x-twilio-email-event-webhook-signature"] == "signed"
    assert "cookie" not in kept


def test_what_is_posted_twice_is_kept_once_unless_its_signature_is_another(provider: Visitor) -> None:
    for signature, count in (("one", 1), ("one", 1), ("two", 2)):
        assert post(provider, **{"X-Twilio-Email-Event-Webhook-Signature": signature}) == 200
        assert Hook.select().count() == count


@pytest.mark.parametrize("path", [
    "/hooks/sendgrid/", "/hooks/sendgrid/wrong", f"/hooks/sendgrid/{SECRET}x", f"/hooks/mailgun/{SECRET}",
    f"/hooks//{SECRET}", f"/hooks/SENDGRID/{SECRET}", "/hooks/sendgrid/%FF%00", "/hooks/sendgrid/%ED%A0%80",
    f"/hooks/sendgrid/{SECRET}/more"])
def test_without_the_secret_there_is_nothing(provider: Visitor, path: str) -> None:
    answer = provider.ask("POST", path, data=b"[]")
    usual = provider.ask("POST", "/hooks/nowhere", data=b"[]")
    assert (answer.status_code, answer.content) == (404, usual.content)
    assert Hook.select().count() == 0


@pytest.mark.parametrize("bounces", [Bounces(), Bounces(webhook="sendgrid")], ids=["nothing", "no secret"])
def test_what_is_not_configured_is_not_there(config: Config, records: None, bounces: Bounces) -> None:
    with visiting(replace(config, bounces=bounces)) as visitor:
        for secret in ("", SECRET):
            assert post(visitor, f"/hooks/sendgrid/{secret}") == 404


def test_a_secret_that_can_be_guessed_is_none(posted: Config) -> None:
    Path(posted.bounces.secret_file).write_text("guess")
    with visiting(posted) as visitor:
        assert post(visitor, "/hooks/sendgrid/guess") == 404


def test_a_secret_that_cannot_be_read_is_told_to_come_later(posted: Config,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    Path(posted.bounces.secret_file).unlink()
    with visiting(posted) as visitor:
        assert post(visitor) == 503
    assert f"{posted.bounces.secret_file}: cannot be read" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_posts_are_taken(provider: Visitor, method: str) -> None:
    assert provider.ask(method, f"/hooks/sendgrid/{SECRET}").status_code == 405


@pytest.mark.parametrize(("size", "status", "kept"), [(MOST - 1, 200, 1), (MOST, 413, 0)])
def test_256_kb_are_refused(provider: Visitor, size: int, status: int, kept: int) -> None:
    assert post(provider, body=b"x" * size) == status
    assert Hook.select().count() == kept


def test_when_too_much_waits_providers_are_told_to_come_later(provider: Visitor) -> None:
    Hook.create(digest="big", provider="sendgrid", received=NOW, headers="{}", body=b"",
                size=50_000_000 - 1)
    assert post(provider) == 200
    assert post(provider, body=b"[{}]") == 503
    Hook.delete().where(Hook.digest == "big").execute()
    rows = [{"digest": str(number), "provider": "sendgrid", "received": NOW, "headers": "{}",
             "body": b"", "size": 0} for number in range(9_999)]
    for start in range(0, len(rows), 1_000):
        Hook.insert_many(rows[start:start + 1_000]).execute()
    assert post(provider, body=b"[{}]") == 503


