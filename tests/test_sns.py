from datetime import UTC, datetime

import pytest
from amazon import AGENT, FILE, HOST, SUBSCRIBE, Amazon

from devdigest import openssl
from devdigest.fetch import FetchError
from devdigest.signatures import Confirm, NotTheirs
from devdigest.sns import LIMITS, Sns

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
URL = f"https://{HOST}{FILE}"




@pytest.fixture
def amazon(tmp_path_factory):
    with Amazon(tmp_path_factory.getbasetemp() / "amazon") as running:
        yield running


def test_a_certificate_is_fetched_once(amazon):
    sns = amazon.sns()
    key = sns.public_key(URL, NOW)
    assert key == openssl.public_key(amazon.certificate.read_bytes())
    assert sns.public_key(URL, NOW) == key
    assert (amazon.server.paths, amazon.looked_up) == ([FILE], [HOST])


def test_certificates_are_kept_but_not_without_end(amazon):
    sns = amazon.sns()
    files = [FILE.replace("0a0a.pem", f"0a0{number}.pem") for number in range(6)]
    for file in files:
        amazon.server.serve(file, amazon.certificate.read_bytes())
        sns.public_key(f"https://{HOST}{file}", NOW)
    sns.public_key(f"https://{HOST}{files[-1]}", NOW)       # still known
    sns.public_key(f"https://{HOST}{files[0]}", NOW)        # forgotten
    assert amazon.server.paths == [*files, files[0]]


def test_a_subscription_is_confirmed(amazon):
    amazon.sns().confirm(Confirm(f"https://{HOST}{SUBSCRIBE}"), NOW)
    assert amazon.server.paths == [SUBSCRIBE]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/elsewhere", "http://127.0.0.1/admin"])
def test_no_redirect_is_followed(amazon, status, target):
    amazon.server.redirect(SUBSCRIBE, target, status)
    with pytest.raises(FetchError, match="more than 0 redirects"):
        amazon.sns().confirm(Confirm(f"https://{HOST}{SUBSCRIBE}"), NOW)
    assert amazon.server.paths == [SUBSCRIBE]


def test_an_address_at_home_is_not_asked_whatever_its_name(amazon):
    with pytest.raises(FetchError, match=r"address 127\.0\.0\.1 is not public"):
        amazon.sns(allow_private=False).public_key(URL, NOW)
    assert (amazon.server.connections, amazon.looked_up) == (0, [HOST])


def test_a_server_without_the_certificate_of_its_name_is_not_believed(amazon):
    elsewhere = "sns.eu-west-1.amazonaws.com"
    with pytest.raises(FetchError, match="Hostname mismatch"):
        amazon.sns().public_key(f"https://{elsewhere}{FILE}", NOW)
    assert amazon.server.requests == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_certificate_that_does_not_exist_was_never_theirs(amazon, status):
    amazon.server.answer(FILE, status)
    with pytest.raises(NotTheirs, match="no such certificate"):
        amazon.sns().public_key(URL, NOW)


def test_where_sns_is_down_the_question_stays_open(amazon):
    sns = amazon.sns()
    amazon.server.answer(FILE, 503)
    with pytest.raises(FetchError, match="503"):
        sns.public_key(URL, NOW)
    amazon.server.serve(FILE, amazon.certificate.read_bytes())
    assert sns.public_key(URL, NOW)


def test_what_is_no_certificate_gives_no_key(amazon):
    amazon.server.serve(FILE, b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n")
    with pytest.raises(NotTheirs, match="is none"):
        amazon.sns().public_key(URL, NOW)


def test_a_certificate_without_end_is_not_read_to_it(amazon):
    amazon.server.endless(FILE)
    with pytest.raises(FetchError, match="more than 65,536 bytes"):
        amazon.sns().public_key(URL, NOW)


def test_left_alone_it_asks_public_addresses_only():
    assert not LIMITS.allow_private
    with pytest.raises(FetchError, match="not public"):
        Sns(AGENT).confirm(Confirm("https://127.0.0.1/"), NOW)
