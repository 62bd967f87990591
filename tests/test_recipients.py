"""Which addresses are mailed to, in which form, and the word for why another is not."""
import pytest

from devdigest.recipients import NotAnAddress, mailbox, of_a_person, tidy


@pytest.mark.parametrize(("given", "stored"), [
    ("ada@example.org", "ada@example.org"),
    ("  ada@example.org\n", "ada@example.org"),
    ("Ada@EXAMPLE.ORG", "Ada@example.org"),             # the local part is the mailbox's own
    ("ada@개발.한국", "ada@xn--h49al71a.xn--3e0b707e"),
    ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("a.d+a_9@sub.example.org", "a.d+a_9@sub.example.org"),
])
def test_an_address_is_stored_in_one_form(given: str, stored: str) -> None:
    assert tidy(given) == stored


@pytest.mark.parametrize("given", [
    "", "ada", "ada@", "@example.org", "ada@example", "ada@@example.org", "ada@example.org, bob@example.org",
    "Ada <ada@example.org>", "a b@example.org", '"a b"@example.org', "ada@example.org\r\nBcc: b@example.org",
    "ada@[127.0.0.1]", "ada@exa mple.org", "ada@-example.org", "a" * 65 + "@example.org"])
def test_what_is_no_address_is_refused_with_a_reason(given: str) -> None:
    with pytest.raises(NotAnAddress, match=r"\w+ \w+"):
        tidy(given)


def test_a_local_part_that_relays_refuse_is_refused() -> None:
    with pytest.raises(NotAnAddress, match="ASCII"):
        tidy("소식@example.org")


@pytest.mark.parametrize(("given", "reason"), [
    ("", "syntax"), ("ada", "syntax"), ("ada@", "syntax"), ("@example.org", "syntax"), ("a b@c d", "syntax"),
    ("Ada <ada@example.org>", "syntax"), ("ada@example.org, bob@example.org", "syntax"),
    ("ada@example", "domain"), ("ada@exa mple.org", "domain"), ("ada@example.invalid", "domain"),
    ("ada@localhost", "domain"), ("ada@[127.0.0.1]", "domain"),
    ("소식@example.org", "local_part"),
    ("abuse@example.org", "role"), ("Postmaster@EXAMPLE.org", "role"), ("no-reply@example.org", "role"),
    ("noreply@example.org", "role"), ("mailer-daemon@example.org", "role"), ("info+devdigest@x.org", "role"),
])
def test_the_reason_is_a_word_that_a_page_can_translate(given: str, reason: str) -> None:
    with pytest.raises(NotAnAddress) as refused:
        of_a_person(given)
    assert refused.value.reason == reason


@pytest.mark.parametrize("given", ["information@example.org", "abuse.ada@example.org", "sales-a@example.org"])
def test_a_name_that_only_begins_like_a_role_is_a_persons(given: str) -> None:
    assert of_a_person(given) == given


@pytest.mark.parametrize(("given", "mailbox_of"), [
    ("Ada@example.org", "ada@example.org"), ("ada+x+y@example.org", "ada@example.org"),
    ("a.da@example.org", "a.da@example.org"), ("+x@example.org", "+x@example.org"),
    ("A.D.A+x@gmail.com", "ada@gmail.com"), ("ada@googlemail.com", "ada@gmail.com"),
    ("a.da@mail.gmail.com", "a.da@mail.gmail.com")])
def test_a_mailbox_is_known_in_every_spelling(given: str, mailbox_of: str) -> None:
    assert mailbox(given) == mailbox_of


def test_the_owner_may_add_the_mailbox_of_a_team() -> None:
    assert tidy("info@example.org") == "info@example.org"
