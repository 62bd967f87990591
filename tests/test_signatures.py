import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from amazon import FILE, HOST, SUBSCRIBE, TOPIC
from hypothesis import given
from hypothesis import strategies as st

from devdigest import openssl, signatures
from devdigest.signatures import Confirm, NotTheirs

SAMPLES = Path(__file__).parents[2] / "shared" / "webhooks"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared")
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
KEY = "devdigest-test-signing-key"
NOTICE = {"Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": "{}", "Timestamp": "now",
          "SignatureVersion": "2", "Signature": "c2lnbmVk", "SigningCertURL": f"https://{HOST}{FILE}"}

ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def sample(name):
    return json.loads((SAMPLES / name).read_bytes())


# Amazon SNS

def test_what_sns_signs_is_its_fields_in_order():
    url, claim = signatures.sns(NOTICE | {"Subject": "오늘"}, TOPIC)
    assert url == f"https://{HOST}{FILE}"
    assert claim.text.decode() == (f"Message\n{{}}\nMessageId\n1\nSubject\n오늘\nTimestamp\nnow\n"
                                   f"TopicArn\n{TOPIC}\nType\nNotification\n")
    assert (claim.signature, claim.digest) == (b"signed", "sha256")


@pytest.mark.parametrize("fields", [{}, {"Subject": None}])
def test_a_subject_is_signed_only_where_there_is_one(fields):
    assert b"Subject" not in signatures.sns(NOTICE | fields, TOPIC)[1].text


def test_version_1_is_sha1():
    assert signatures.sns(NOTICE | {"SignatureVersion": "1"}, TOPIC)[1].digest == "sha1"


@needs_samples
@pytest.mark.parametrize("name", ["ses-bounce-permanent.json", "ses-bounce-transient.json",
                                  "ses-delivery.json", "ses-complaint.json",
                                  "ses-event-publishing-bounce.json", "sns-subscription-confirmation.json"])
def test_the_samples_are_signed_for_their_certificate(name):
    key = openssl.public_key((SAMPLES / "sns-test-certificate.pem").read_bytes())
    envelope = sample(name)
    assert openssl.fits(signatures.sns(envelope, TOPIC)[1], key)
    for field in set(envelope) & {"Message", "MessageId", "Subject", "Timestamp", "Token", "SubscribeURL"}:
        forged = envelope | {field: f"{envelope[field]} "}
        assert not openssl.fits(signatures.sns(forged, TOPIC)[1], key), field


@pytest.mark.parametrize("topic", [TOPIC + "2", TOPIC.replace("ap-northeast-2", "us-east-1"), TOPIC.upper(),
                                   "", None, [TOPIC]])
def test_another_topic_is_not_ours(topic):
    with pytest.raises(NotTheirs, match="not of the topic"):
        signatures.sns(NOTICE | {"TopicArn": topic}, TOPIC)


@pytest.mark.parametrize("topic", ["", "arn:aws:sns:evil.example/#:1:x", f"{TOPIC}\n",
                                   "arn:aws:sqs:us-east-1:111122223333:x"])
def test_a_topic_that_is_none_lets_nobody_in(topic):
    assert not signatures.is_topic(topic)
    with pytest.raises(NotTheirs, match="not of the topic"):
        signatures.sns(NOTICE | {"TopicArn": topic}, topic)


@pytest.mark.parametrize("url", [
    f"http://{HOST}{FILE}", f"https://{HOST}.evil.example{FILE}", f"https://evil.example/{HOST}{FILE}",
    f"https://{HOST}:444{FILE}", f"https://{HOST}@evil.example{FILE}", f"https://evil.example#@{HOST}{FILE}",
    f"https://sns.us-east-1.amazonaws.com{FILE}", f"https://snsxap-northeast-2.amazonaws.com{FILE}",
    f"https://{HOST}{FILE}?x", f"https://{HOST}{FILE}\n", f" https://{HOST}{FILE}", f"https://{HOST}/x{FILE}",
    f"https://{HOST}/SimpleNotificationService-../../x.pem", f"https://{HOST}\\@evil.example{FILE}",
    f"HTTPS://{HOST}{FILE}", f"https://127.0.0.1{FILE}", f"file://{FILE}", f"https://s3.amazonaws.com{FILE}",
    "", None, 5, [f"https://{HOST}{FILE}"]])
def test_a_certificate_lies_at_sns_in_the_topics_region_or_nowhere(url):
    with pytest.raises(NotTheirs, match="certificate"):
        signatures.sns(NOTICE | {"SigningCertURL": url}, TOPIC)


def test_china_has_a_domain_of_its_own():
    topic = "arn:aws-cn:sns:cn-north-1:111122223333:x"
    url = f"https://sns.cn-north-1.amazonaws.com.cn{FILE}"
    assert signatures.sns(NOTICE | {"TopicArn": topic, "SigningCertURL": url}, topic)[0] == url


@pytest.mark.parametrize("fields", [{"SignatureVersion": "3"}, {"SignatureVersion": 1}, {"Type": "Notice"},
                                    {"Type": None}, {"Type": ["Notification"]}])
def test_what_is_signed_in_an_unknown_way_is_not_believed(fields):
    with pytest.raises(NotTheirs, match="not known"):
        signatures.sns(NOTICE | fields, TOPIC)


@given(ANYTHING, st.sampled_from([*NOTICE, "Subject"]))
def test_no_value_of_a_field_breaks_the_check(value, field):
    try:
        url, claim = signatures.sns(NOTICE | {field: value}, TOPIC)
    except NotTheirs:
        return
    assert url.startswith(f"https://{HOST}/")
    assert isinstance(claim.text, bytes)


def test_a_subscription_is_confirmed_where_sns_asks():
    url = f"https://{HOST}{SUBSCRIBE}"
    assert signatures.subscription({"SubscribeURL": url}, TOPIC) == Confirm(url)


@pytest.mark.parametrize("url", [
    f"https://evil.example{SUBSCRIBE}", f"http://{HOST}{SUBSCRIBE}", f"https://{HOST}:80{SUBSCRIBE}",
    f"https://{HOST}@evil.example{SUBSCRIBE}", f"https://sns.us-east-1.amazonaws.com{SUBSCRIBE}",
    f"https://{HOST}/?Action=DeleteTopic&TopicArn={TOPIC}", f"https://{HOST}{SUBSCRIBE}&Action=DeleteTopic",
    f"https://{HOST}{SUBSCRIBE.replace('feedback', 'other')}", f"https://{HOST}{SUBSCRIBE}#x",
    f"https://{HOST}{SUBSCRIBE} ", f"https://{HOST}{SUBSCRIBE}\n", "", None, 7])
def test_a_subscription_is_confirmed_nowhere_else(url):
    with pytest.raises(NotTheirs, match="subscription"):
        signatures.subscription({"SubscribeURL": url}, TOPIC)


# Mailgun

def mailgun(timestamp, token="t" * 50, key=KEY, **fields):
    made = hmac.new(key.encode(), f"{timestamp}{token}".encode(), "sha256").hexdigest()
    return {"signature": {"timestamp": timestamp, "token": token, "signature": made} | fields}


def seconds(**ago):
    return str(int((NOW - timedelta(**ago)).timestamp()))


@pytest.mark.parametrize("ago", [{}, {"hours": 8, "minutes": 30}, {"minutes": -4}])
def test_mailguns_signature_is_good_while_it_tries_again(ago):
    signatures.mailgun(mailgun(seconds(**ago)), KEY, NOW)
    signatures.mailgun(mailgun(int(seconds(**ago))), KEY, NOW)     # documented as a number, sent as a text


@pytest.mark.parametrize("ago", [{"hours": 9, "minutes": 1}, {"days": 365}, {"minutes": -6}])
def test_an_old_signature_of_mailguns_is_no_proof(ago):
    with pytest.raises(NotTheirs, match="too old, or of the future"):
        signatures.mailgun(mailgun(seconds(**ago)), KEY, NOW)


@pytest.mark.parametrize("document", [
    mailgun(seconds(), key="another"), mailgun(seconds(), token="x", signature="0" * 64),
    mailgun(seconds(), signature=None), mailgun(seconds(), signature="\ud800"), mailgun(seconds(), token=5),
    mailgun(seconds(), signature="ä" * 64)])
def test_what_mailgun_did_not_sign_is_not_believed(document):
    with pytest.raises(NotTheirs, match="not Mailgun's"):
        signatures.mailgun(document, KEY, NOW)


@pytest.mark.parametrize("document", [
    {}, [], None, {"signature": []}, {"signature": {}}, mailgun("-1"), mailgun("1e9"),
    mailgun("１７７２４８８８０６"), mailgun("9" * 400), mailgun(True), mailgun(1772488806.0)])
def test_without_a_time_there_is_no_signature_of_mailguns(document):
    with pytest.raises(NotTheirs, match="no signature"):
        signatures.mailgun(document, KEY, NOW)


def test_without_a_key_nobody_is_mailgun():
    with pytest.raises(NotTheirs, match="no key"):
        signatures.mailgun(mailgun(seconds(), key=""), "", NOW)


@needs_samples
@pytest.mark.parametrize("name", ["mailgun-complained.json", "mailgun-failed-permanent.json",
                                  "mailgun-failed-suppressed.json", "mailgun-failed-temporary.json"])
def test_mailguns_samples_are_signed(name):
    document = sample(name)
    then = datetime.fromtimestamp(int(document["signature"]["timestamp"]), UTC)
    signatures.mailgun(document, KEY, then)
    with pytest.raises(NotTheirs, match="too old"):
        signatures.mailgun(document, KEY, NOW)


@given(ANYTHING, st.sampled_from(["timestamp", "token", "signature"]))
def test_nothing_odd_is_mailguns(value, field):
    document = mailgun(seconds())
    if document["signature"][field] == value:
        return
    document["signature"][field] = value
    with pytest.raises(NotTheirs):
        signatures.mailgun(document, KEY, NOW)


# SendGrid

def test_sendgrid_signs_the_time_and_the_body_as_they_come():
    headers = {"X-Twilio-Email-Event-Webhook-Timestamp": "1772488806",
               "X-Twilio-Email-Event-Webhook-Signature": "c2lnbmVk"}
    claim = signatures.sendgrid(headers, b'[{"a":1}]\r\n')
    assert (claim.text, claim.signature, claim.digest) == (b'1772488806[{"a":1}]\r\n', b"signed", "sha256")


@pytest.mark.parametrize("missing", ["timestamp", "signature"])
def test_without_its_headers_nobody_is_sendgrid(missing):
    headers = {f"x-twilio-email-event-webhook-{name}": "" if name == missing else "c2ln"
               for name in ("timestamp", "signature")}
    with pytest.raises(NotTheirs, match="no signature"):
        signatures.sendgrid(headers, b"[]")


@pytest.mark.parametrize("key", ["", "not base64!", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"])
def test_without_a_key_nobody_can_be_sendgrid(key):
    with pytest.raises(NotTheirs, match="no public key"):
        signatures.pem(key)


# Postmark, Brevo

def basic(text):
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize("headers", [basic("hook:열쇠-17"), {"AUTHORIZATION": "bearer  hook:열쇠-17"}])
def test_who_shows_the_credentials_is_let_in(headers):
    signatures.authorized(headers, "hook:열쇠-17")


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": ""}, {"Authorization": "hook:열쇠-17"}, basic("hook:열쇠-18"), basic("hook:열쇠-1"),
    basic(""), {"Authorization": "Basic hook:열쇠-17"}, {"Authorization": "Digest hook:열쇠-17"},
    {"Authorization": "Bearer \ud800"}, {"X-Authorization": "Bearer hook:열쇠-17"}])
def test_who_does_not_is_not(headers):
    with pytest.raises(NotTheirs, match="credentials"):
        signatures.authorized(headers, "hook:열쇠-17")


@pytest.mark.parametrize("headers", [{}, basic(""), {"Authorization": "Bearer "}])
def test_without_credentials_nobody_is_let_in(headers):
    with pytest.raises(NotTheirs):
        signatures.authorized(headers, "")
