import base64
import hmac
import json
from datetime import UTC, datetime

import pytest
from amazon import HOST, P256, SUBSCRIBE, TOPIC, Amazon, identity, openssl
from hypothesis import given, settings
from hypothesis import strategies as st

from devdigest import provider
from devdigest.events import PROVIDERS, Unreadable
from devdigest.fetch import FetchError
from devdigest.signatures import Confirm, NotTheirs
from devdigest.sns import Sns

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ADA = {"emailAddress": "ada@example.org"}
BOUNCE = {"notificationType": "Bounce",
          "bounce": {"bounceType": "Permanent", "feedbackId": "f1", "bouncedRecipients": [ADA]}}
NOBODY = Sns("DevDigest/1")     # whoever asks it would leave the machine


@pytest.fixture
def amazon(tmp_path_factory):
    with Amazon(tmp_path_factory.getbasetemp() / "amazon") as running:
        yield running


@pytest.fixture(scope="module")
def sendgrid(tmp_path_factory):
    """(public key as SendGrid shows it, the private one's file)"""
    certificate, key = identity(tmp_path_factory.mktemp("sendgrid") / "pair", "sendgrid.net", *P256)
    shown = openssl("x509", "-in", certificate, "-pubkey", "-noout").decode().splitlines()[1:-1]
    return "".join(shown), key


def by_ses(amazon, envelope, sns=None):
    return provider.receive("ses", TOPIC, {}, json.dumps(envelope).encode(), NOW, sns or amazon.sns())


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_ses_tells_is_believed_by_its_signature(amazon, version):
    found, = by_ses(amazon, amazon.notice(BOUNCE, SignatureVersion=version))
    assert (found.recipient, found.permanent, found.event) == ("ada@example.org", True, "7a1f0d52 f1")


@pytest.mark.parametrize("forged", [{"Message": json.dumps(BOUNCE).replace("ada", "bob")}, {"MessageId": "2"},
                                    {"Timestamp": "2027-01-01T00:00:00.000Z"}, {"Signature": "AAAA"},
                                    {"Signature": None}, {"Subject": "hello"}, {"SignatureVersion": "1"}])
def test_what_was_changed_on_the_way_is_not(amazon, forged):
    with pytest.raises(NotTheirs, match="not theirs"):
        by_ses(amazon, amazon.notice(BOUNCE) | forged)


def test_somebody_elses_topic_has_nothing_fetched(amazon):
    with pytest.raises(NotTheirs, match="not of the topic"):
        by_ses(amazon, amazon.notice(BOUNCE, TopicArn=TOPIC.replace("1111", "9999")))
    assert amazon.looked_up == []


def test_a_certificate_elsewhere_is_not_fetched(amazon):
    with pytest.raises(NotTheirs, match="certificate"):
        by_ses(amazon, amazon.notice(BOUNCE, SigningCertURL="https://evil.example/SimpleNotificationService.pem"))
    assert amazon.looked_up == []


def test_a_subscription_is_asked_about_and_confirmed(amazon):
    sns = amazon.sns()
    asked = by_ses(amazon, amazon.confirmation(), sns)
    assert asked == Confirm(f"https://{HOST}{SUBSCRIBE}")
    assert SUBSCRIBE not in amazon.server.paths
    sns.confirm(asked, NOW)
    assert amazon.server.paths[-1] == SUBSCRIBE


def test_a_forged_question_is_not_answered(amazon):
    with pytest.raises(NotTheirs):
        by_ses(amazon, amazon.confirmation() | {"Token": "0"})
    with pytest.raises(NotTheirs):
        by_ses(amazon, amazon.confirmation(SubscribeURL="https://169.254.169.254/latest/meta-data/"))


def test_that_we_were_unsubscribed_is_no_question(amazon):
    assert by_ses(amazon, amazon.confirmation(Type="UnsubscribeConfirmation")) == []


def test_where_the_certificate_cannot_be_had_nothing_is_decided(amazon):
    envelope = amazon.notice(BOUNCE)
    amazon.server.answer(envelope["SigningCertURL"].removeprefix(f"https://{HOST}"), 500)
    with pytest.raises(FetchError):
        by_ses(amazon, envelope)


def signed_by(key, body, timestamp="1772488806"):
    signature = openssl("dgst", "-sha256", "-sign", key, given=timestamp.encode() + body)
    return {"X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode()}


def test_what_sendgrid_tells_is_believed_by_its_signature(sendgrid):
    body = b'[{"event":"spamreport","email":"ada@example.org","sg_event_id":"e1"}]\r\n'
    shown, private = sendgrid
    headers = signed_by(private, body)
    found, = provider.receive("sendgrid", shown, headers, body, NOW, NOBODY)
    assert found.recipient == "ada@example.org"
    for forged in ((headers, body.strip()), (headers | signed_by(private, b"[]"), body),
                   (headers | {"X-Twilio-Email-Event-Webhook-Timestamp": "1772488807"}, body)):
        with pytest.raises(NotTheirs, match="not theirs"):
            provider.receive("sendgrid", shown, *forged, NOW, NOBODY)


def test_nothing_of_sendgrids_is_read_before_it_is_believed(sendgrid):
    with pytest.raises(NotTheirs):
        provider.receive("sendgrid", sendgrid[0], {}, b"\xff", NOW, NOBODY)


def test_what_mailgun_tells_is_believed_by_its_signature():
    stamp = str(int(NOW.timestamp()))
    made = hmac.new(b"key", f"{stamp}token".encode(), "sha256").hexdigest()
    body = json.dumps({"signature": {"timestamp": stamp, "token": "token", "signature": made},
                       "event-data": {"id": "e1", "event": "complained", "recipient": "ada@example.org"}})
    found, = provider.receive("mailgun", "key", {}, body.encode(), NOW, NOBODY)
    assert (found.recipient, found.event) == ("ada@example.org", "e1")
    with pytest.raises(NotTheirs):
        provider.receive("mailgun", "another", {}, body.encode(), NOW, NOBODY)


@pytest.mark.parametrize(("name", "body"), [
    ("postmark", b'{"RecordType":"SpamComplaint","Email":"ada@example.org"}'),
    ("brevo", b'{"event":"spam","email":"ada@example.org"}')])
def test_who_signs_nothing_shows_credentials(name, body):
    headers = {"Authorization": f"Basic {base64.b64encode(b'hook:secret').decode()}"}
    assert provider.receive(name, "hook:secret", headers, body, NOW, NOBODY)[0].recipient == "ada@example.org"
    with pytest.raises(NotTheirs):
        provider.receive(name, "hook:secret", {}, body, NOW, NOBODY)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PROVIDERS), st.sampled_from(["", "key", TOPIC]), st.binary() | st.builds(
    lambda text: json.dumps(text).encode(), st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(
        st.sampled_from(["Type", "TopicArn", "signature", "event-data", "event"]), inner))))
def test_nothing_is_believed_without_proof_and_nothing_breaks(name, key, body):
    headers = {"Authorization": "Basic \udcff", "X-Twilio-Email-Event-Webhook-Timestamp": "\udcff"}
    with pytest.raises((NotTheirs, Unreadable)):
        provider.receive(name, key, headers, body, NOW, NOBODY)
