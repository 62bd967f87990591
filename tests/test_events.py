import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devdigest import events
from devdigest.events import Unreadable
from devdigest.feedback import REASONS, Kind

SAMPLES = Path(__file__).parents[2] / "shared" / "webhooks"
OURS = "d_01HQZ7T9"
GENERAL = ("Permanent", "General")

# What each sample means: file, (kind, reason, permanent, recipient, status, the provider's own id).
EXPECTED = [
    ("ses-bounce-permanent", ("hard", "user-unknown", True, "gone", "5.1.1", "000000000001-000000")),
    ("ses-bounce-transient", ("soft", "mailbox-full", False, "full", "5.2.2", "000000000002-000000")),
    ("ses-complaint", ("complaint", "abuse", False, "angry", "", "000000000003-000000")),
    ("ses-delivery", ("not-a-bounce", "delivered", False, "fine", "2.0.0", "-000000000004")),
    ("ses-event-publishing-bounce",
     ("hard", "provider-suppressed", True, "listed", "5.1.1", "000000000005-000000")),
    ("mailgun-failed-permanent", ("hard", "user-unknown", True, "gone", "5.1.1", "a1B2c3D4e5F6g7H8i9J0kQ")),
    ("mailgun-failed-temporary", ("soft", "delayed", False, "slow", "4.7.1", "a1B2c3D4e5F6g7H8i9J0kQ")),
    ("mailgun-failed-suppressed",
     ("hard", "provider-suppressed", True, "earlier", "", "a1B2c3D4e5F6g7H8i9J0kQ")),
    ("mailgun-complained", ("complaint", "abuse", False, "angry", "", "a1B2c3D4e5F6g7H8i9J0kQ")),
    ("brevo-hard-bounce", ("hard", "user-unknown", True, "gone", "5.1.1", "")),
    ("brevo-soft-bounce", ("soft", "mailbox-full", False, "full", "4.2.2", "")),
    ("brevo-blocked", ("hard", "provider-suppressed", True, "listed", "", "")),
    ("brevo-spam", ("complaint", "abuse", False, "angry", "", "")),
    ("postmark-bounce", ("hard", "user-unknown", True, "gone", "5.1.1", "4323372036854775807")),
    ("postmark-bounce-soft", ("soft", "mailbox-full", False, "full", "4.2.2", "4323372036854775808")),
    ("postmark-spam-complaint", ("complaint", "abuse", False, "angry", "", "4323372036854775809")),
    ("sendgrid-bounce", ("hard", "user-unknown", True, "gone", "5.1.1", "LTAwMDE")),
    ("sendgrid-blocked", ("soft", "policy", False, "picky", "5.7.1", "LTAwMDI")),
    ("sendgrid-spamreport", ("complaint", "abuse", False, "angry", "", "LTAwMDM")),
]
SHAPES = {
    "ses": {"Type": "Notification", "MessageId": "m1", "Message": {
        "notificationType": "Bounce", "mail": {"messageId": "x", "source": "b+7q@a.org", "headers": [
            {"name": "X-DevDigest-Delivery", "value": "17"}]},
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "f1",
                   "bouncedRecipients": [{"emailAddress": "ada@example.org", "status": "5.1.1",
                                          "diagnosticCode": "smtp; 550 5.1.1 no such user"}]}}},
    "mailgun": {"event-data": {"id": "e1", "event": "failed", "severity": "permanent", "reason": "bounce",
                               "recipient": "ada@example.org", "user-variables": {"delivery": "17"},
                               "message": {"headers": {"message-id": "a@b"}},
                               "envelope": {"sender": "b+7q@a.org"},
                               "delivery-status": {"code": 550, "message": "5.1.1 no such user"}}},
    "sendgrid": [{"event": "bounce", "type": "bounce", "email": "ada@example.org", "sg_event_id": "e1",
                  "reason": "550 5.1.1 no such user", "status": "5.1.1", "smtp-id": "<a@b>",
                  "delivery": "17"}],
    "brevo": {"event": "hard_bounce", "email": "ada@example.org", "reason": "550 5.1.1 no such user",
              "message-id": "<a@b>", "ts_event": 1772488806, "X-Mailin-custom": "delivery:17"},
    "postmark": {"RecordType": "Bounce", "Type": "HardBounce", "ID": 7, "Email": "ada@example.org",
                 "Details": "smtp;550 5.1.1 no such user", "Inactive": True, "Metadata": {"delivery": "17"},
                 "MessageID": "a@b"},
}


def read(provider, posted):
    """As it comes: what SES says is JSON within JSON."""
    if provider == "ses" and isinstance(posted, dict) and not isinstance(posted.get("Message"), str):
        posted = posted | {"Message": json.dumps(posted.get("Message"))}
    return events.read(provider, events.document(json.dumps(posted).encode()))


def one(provider, **fields):
    """The Feedback of a bounce where some fields are others; dots lead further in."""
    posted = json.loads(json.dumps(SHAPES[provider]))
    for path, value in fields.items():
        *way, name = path.split(".")
        place = posted[0] if provider == "sendgrid" else posted
        for step in way:
            place = place[step]
        place[name] = value
    found = read(provider, posted)
    return found[0] if found else None


def fate(feedback):
    return feedback and (str(feedback.kind), feedback.reason, feedback.permanent)


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared")
@pytest.mark.parametrize(("name", "expected"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_a_sample_means_what_its_provider_documents(name, expected):
    found, = events.read(name.partition("-")[0], events.document((SAMPLES / f"{name}.json").read_bytes()))
    kind, reason, permanent, reader, status, event = expected
    assert fate(found) == (kind, reason, permanent)
    assert (found.recipient, found.status) == (f"{reader}@reader.example.com", status)
    assert found.event.endswith(event)
    assert found.event
    assert found.delivery == OURS
    assert found.message_id
    assert "<" not in found.message_id
    assert found.tokens == (("7Qm2",) if "ses" in name or name == "mailgun-failed-permanent" else ())


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared")
def test_a_batch_is_told_in_order_and_without_what_says_nothing():
    found = events.read("sendgrid", events.document((SAMPLES / "sendgrid-batch-mixed.json").read_bytes()))
    assert [each.reason for each in found] == ["delayed", "provider-suppressed", "delivered"]


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs ../shared")
def test_a_confirmation_says_nothing_of_a_mail():
    sample = (SAMPLES / "sns-subscription-confirmation.json").read_bytes()
    assert events.read("ses", events.document(sample)) == []


@pytest.mark.parametrize("provider", SHAPES)
def test_all_that_leads_back_to_a_delivery_is_told(provider):
    found = one(provider)
    assert (fate(found), found.recipient) == (("hard", "user-unknown", True), "ada@example.org")
    assert (found.delivery, found.message_id) == ("17", "x" if provider == "ses" else "a@b")
    assert found.said.endswith("no such user")
    assert found.event
    assert found == one(provider)


def test_two_readers_in_one_event_are_two_reports():
    readers = [{"emailAddress": f"{name}@example.org"} for name in ("ada", "bob")]
    posted = SHAPES["ses"] | {"Message": {"notificationType": "Bounce", "bounce": {
        "bounceType": "Transient", "feedbackId": "f1", "bouncedRecipients": readers}}}
    ada, bob = read("ses", posted)
    assert (ada.recipient, bob.recipient) == ("ada@example.org", "bob@example.org")
    assert ada.event != bob.event


@pytest.mark.parametrize("listed", [[], ["ada", "bob"]])
def test_where_nobody_says_who_complained_no_address_is_blamed(listed):
    complaint = {"complainedRecipients": [{"emailAddress": f"{name}@example.org"} for name in listed]}
    found, = read("ses", SHAPES["ses"] | {"Message": {
        "notificationType": "Complaint", "complaint": complaint, "mail": SHAPES["ses"]["Message"]["mail"]}})
    assert (fate(found), found.recipient, found.delivery) == (("complaint", "abuse", False), "", "17")


@pytest.mark.parametrize(("said", "sort", "expected"), [
    ("abuse", None, ("complaint", "abuse", False)), ("fraud", None, ("complaint", "abuse", False)),
    (None, None, ("complaint", "abuse", False)), ("opt-out", None, ("unsubscribe", "opt-out", False)),
    ("not-spam", None, None), ("auth-failure", None, ("not-a-bounce", "auth-failure-report", False)),
    (None, "OnAccountSuppressionList", ("hard", "provider-suppressed", True))])
def test_a_complaint_at_ses_has_kinds(said, sort, expected):
    complaint = {"complainedRecipients": [{"emailAddress": "ada@example.org"}],
                 "complaintFeedbackType": said, "complaintSubType": sort}
    found = read("ses", SHAPES["ses"] | {"Message": {"eventType": "Complaint", "complaint": complaint}})
    assert fate(next(iter(found), None)) == expected


@pytest.mark.parametrize(("kind", "status", "said", "expected"), [
    (GENERAL, None, None, ("hard", "undetermined", True)),
    (("Permanent", "NoEmail"), None, None, ("hard", "undetermined", True)),
    (("Permanent", "Suppressed"), "5.1.1", "", ("hard", "provider-suppressed", True)),
    (GENERAL, "5.0.0", "smtp; 552 5.2.2 sorry", ("hard", "mailbox-full", True)),
    (GENERAL, "5.2.1", "disabled", ("hard", "disabled", True)),
    # what is ours to mend makes no address dead, even where it is called permanent
    (GENERAL, "5.7.1", "554 5.7.1 spam", ("soft", "policy", False)),
    (GENERAL, "5.7.26", "fails DMARC", ("soft", "auth-failure", False)),
    (GENERAL, "5.0.0", "550 frequency limited", ("soft", "throttled", False)),
    (GENERAL, "5.1.1", "550 5.1.1 too many messages from you", ("soft", "throttled", False)),
    (GENERAL, "5.3.4", "", ("soft", "too-big", False)),
    (GENERAL, "5.1.1", "550 5.1.1 <spam-dmarc@example.org> unknown", ("hard", "user-unknown", True)),
    (("Transient", "General"), "4.4.7", "expired", ("soft", "expired", False)),
    (("Transient", "General"), "5.4.4", "", ("soft", "host-unknown", False)),
    (("Transient", "General"), None, None, ("soft", "undetermined", False)),
    (("Transient", "MailboxFull"), None, None, ("soft", "mailbox-full", False)),
    (("Transient", "MessageTooLarge"), None, None, ("soft", "too-big", False)),
    (("Transient", "ContentRejected"), None, None, ("soft", "policy", False)),
    (("Undetermined", "Undetermined"), None, None, ("soft", "undetermined", False)),
    (("New", "General"), "5.1.1", "", None)])
def test_a_bounce_at_ses_is_as_dead_as_ses_and_the_words_say(kind, status, said, expected):
    bounce = {"bounceType": kind[0], "bounceSubType": kind[1], "bouncedRecipients": [
        {"emailAddress": "ada@example.org", "status": status, "diagnosticCode": said}]}
    found = read("ses", SHAPES["ses"] | {"Message": {"notificationType": "Bounce", "bounce": bounce}})
    assert fate(next(iter(found), None)) == expected


@pytest.mark.parametrize(("fields", "expected"), [
    ({"reason": "generic"}, ("hard", "user-unknown", False)),
    ({"reason": "old"}, ("soft", "expired", False)),
    ({"reason": "espblock"}, ("soft", "policy", False)),
    ({"reason": "suppress-unsubscribe"}, ("hard", "provider-suppressed", True)),
    ({"reason": "suppress-complaint"}, ("hard", "provider-suppressed", True)),
    ({"delivery-status": {"code": 550, "message": "5.7.1 blocked"}}, ("soft", "policy", False)),
    ({"delivery-status": {"code": 498, "description": "no MX for it"}}, ("hard", "host-unknown", True)),
    ({"severity": "temporary"}, ("soft", "delayed", False)),
    ({"event": "rejected", "reject": {"reason": "quota"}}, ("soft", "policy", False)),
    ({"event": "unsubscribed"}, ("unsubscribe", "opt-out", False)),
    ({"event": "delivered"}, ("not-a-bounce", "delivered", False)),
    ({"event": "opened"}, None), ({"event": None}, None)])
def test_mailgun_calls_every_refusal_permanent_but_not_every_address(fields, expected):
    assert fate(one("mailgun", **{f"event-data.{name}": value for name, value in fields.items()})) == expected


@pytest.mark.parametrize(("fields", "expected"), [
    ({"type": "blocked", "status": "", "reason": "unclear"}, ("soft", "undetermined", False)),
    ({"type": "expired"}, ("soft", "expired", False)),
    ({"type": None}, ("hard", "user-unknown", False)),
    ({"event": "dropped", "reason": "Spam Reporting Address"}, ("hard", "provider-suppressed", True)),
    ({"event": "dropped", "reason": "Unsubscribed Address"}, ("hard", "provider-suppressed", True)),
    ({"event": "dropped", "reason": "Recipient List over Package Quota"}, ("soft", "policy", False)),
    ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, ("soft", "policy", False)),
    ({"event": "group_unsubscribe"}, ("unsubscribe", "opt-out", False)),
    ({"event": "click"}, None)])
def test_sendgrid_drops_for_reasons_of_the_reader_and_of_its_own(fields, expected):
    assert fate(one("sendgrid", **fields)) == expected


@pytest.mark.parametrize(("event", "expected"), [
    ("invalid_email", ("hard", "user-unknown", True)), ("complaint", ("complaint", "abuse", False)),
    ("deferred", ("soft", "delayed", False)), ("error", ("soft", "policy", False)),
    ("unsubscribed", ("unsubscribe", "opt-out", False)), ("delivered", ("not-a-bounce", "delivered", False)),
    ("proxy_open", None)])
def test_brevo_has_words_of_its_own(event, expected):
    assert fate(one("brevo", event=event)) == expected


def test_brevo_may_post_several_at_once_and_each_is_told_apart():
    second = SHAPES["brevo"] | {"ts_event": 1772488807}
    found = read("brevo", [SHAPES["brevo"], second, SHAPES["brevo"]])
    assert found[0].event == found[2].event != found[1].event


@pytest.mark.parametrize(("fields", "expected"), [
    ({"Inactive": False}, ("hard", "user-unknown", False)),
    ({"Type": "BadEmailAddress"}, ("hard", "user-unknown", True)),
    ({"Type": "SoftBounce", "Inactive": False, "Details": ""}, ("soft", "undetermined", False)),
    ({"Type": "Transient"}, ("soft", "delayed", False)),
    ({"Type": "DnsError", "Inactive": False}, ("soft", "host-unknown", False)),
    ({"Type": "SpamNotification", "TypeCode": 512}, ("soft", "policy", False)),
    ({"Type": "DMARCPolicy"}, ("soft", "auth-failure", False)),
    ({"Type": "SpamComplaint"}, ("complaint", "abuse", False)),
    ({"Type": "AutoResponder"}, ("auto-reply", "auto-response", False)),
    ({"Type": "ManuallyDeactivated"}, ("hard", "provider-suppressed", True)),
    ({"RecordType": "Delivery", "Recipient": "ada@example.org"}, ("not-a-bounce", "delivered", False)),
    ({"RecordType": "Open"}, None), ({"Type": "TemplateRenderingFailed"}, None)])
def test_postmark_goes_by_type_and_never_by_number(fields, expected):
    assert fate(one("postmark", **fields)) == expected


@pytest.mark.parametrize(("given_", "kept"), [
    ("Ada@EXAMPLE.org", "Ada@example.org"), ("Ada <ada@Example.org>", "ada@example.org"),
    ('"a@b"@example.org', '"a@b"@example.org'), ("ada", ""), ("@example.org", ""), ("a b@example.org", ""),
    ("ada@example.org\r\nBcc: x", ""), ("ada@\ud800", ""), (f"{'a' * 250}@example.org", ""), (None, ""),
    (["ada@example.org"], "")])
def test_a_recipient_is_an_address_or_withheld(given_, kept):
    assert one("sendgrid", email=given_).recipient == kept


def test_what_a_mail_server_says_becomes_one_short_line():
    found = one("sendgrid", reason="550\r\n5.1.1\x00\u202e\ud800 no " + "x" * 10_000)
    assert found.said.startswith("550 5.1.1 no x")
    assert len(found.said) == 300


def test_plain_words_from_sns_are_no_fault():
    said = "Successfully validated SNS topic for Amazon SES event publishing."
    assert read("ses", SHAPES["ses"] | {"Message": said}) == []


@pytest.mark.parametrize("body", [
    b"", b"{", b"\xff\xfe{\x00}\x00", b'"\xed\xa0\x80"', b"[NaN]", b"[Infinity]", b"1" * 5000, b"[" * 200_000,
    b'{"a":' * 40_000, b"[]".ljust(256 * 1024 + 1)])
def test_what_is_not_json_is_unreadable(body):
    with pytest.raises(Unreadable):
        events.document(body)


def test_what_is_as_long_as_allowed_is_read():
    assert events.document(b"[]".ljust(256 * 1024)) == []


@pytest.mark.parametrize("message", ["{", "[" * 100_000, '{"a":' * 40_000, '{"\ud800"'])
def test_nonsense_within_sns_is_unreadable_as_well(message):
    try:
        assert read("ses", SHAPES["ses"] | {"Message": message}) == []
    except Unreadable:
        assert message.startswith("{")


@pytest.mark.parametrize(("provider", "posted"), [("mailgun", {}), ("mailgun", []), ("sendgrid", {}),
                                                  ("brevo", 5), ("brevo", [5]), ("postmark", None)])
def test_another_shape_is_unreadable(provider, posted):
    with pytest.raises(Unreadable):
        read(provider, posted)


NUMBERS = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(st.none() | NUMBERS | st.text()
                      | st.sampled_from(["Bounce", "Complaint", "a@b", "<a", "\ud800", "+@"]),
                      lambda inner: st.lists(inner, max_size=3)
                      | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)


def places(value, way=()):
    """Every place within a JSON value, the whole of it first."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, found in inner:
        yield from places(found, (*way, name))


def put(value, way, other):
    if not way:
        return other
    changed = value.copy()
    changed[way[0]] = put(value[way[0]], way[1:], other)
    return changed


PLACES = [(provider, way) for provider, shape in SHAPES.items() for way in places(shape)]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_no_value_in_any_place_breaks_the_reading(place, value):
    provider, way = place
    try:
        found = read(provider, put(SHAPES[provider], way, value))
    except Unreadable:
        return
    for each in found:
        assert isinstance(each.kind, Kind)
        assert each.reason in REASONS
        for text in (each.recipient, each.status, each.said, each.message_id, each.delivery, each.event,
                     *each.tokens):
            assert isinstance(text, str)
            assert len(text) <= 700
            assert text.isprintable()
