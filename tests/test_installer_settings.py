"""config.toml from the answers: it loads, and what the owner wrote there survives."""
from pathlib import Path

import pytest
from installer import sender, settings
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import Refused

PUBLIC = Answers(sender="digest@example.org", relay="smtp-relay.brevo.com:587", relay_user="me@example.org",
                 name="digest.example.org", owner="me@example.org", zone="Asia/Seoul", language="en",
                 time="09:00", copy_to="/mnt/stick")
TRIAL = Answers(sender="devdigest@localhost.localdomain", relay="maildir", zone="Asia/Seoul", language="ko",
                time="10:00")
PATH = Path("/etc/devdigest/config.toml")


def fresh(answers: Answers) -> str:
    wanted = settings.joined(settings.of(answers, "192.168.0.23"), settings.paths(Layout()))
    return settings.written(wanted, None)


def test_a_new_file_says_what_was_answered_with_whole_paths() -> None:
    config = settings.checked(fresh(PUBLIC), PATH)
    assert (config.site.url, config.site.language, config.site.owner, config.site.clock) == (
        "https://digest.example.org", "en", "me@example.org", "check")
    assert (config.mail.preset, config.mail.transport, config.mail.host, config.mail.port,
            config.mail.security, config.mail.user, config.mail.sender) == (
        "brevo", "smtp", "smtp-relay.brevo.com", 587, "starttls", "me@example.org", "digest@example.org")
    assert (config.web.listen, config.web.proxy) == ("127.0.0.1:8080", "127.0.0.1")
    assert (config.digest.time, config.backup.copy_to) == ("09:00", "/mnt/stick")
    assert [config.database.path, config.backup.where, config.mail.maildir] == [
        f"/var/lib/devdigest/{name}" for name in ("devdigest.db", "backups", "mail")]


def test_without_a_name_the_site_is_for_this_network_and_without_a_relay_mail_goes_into_a_folder() -> None:
    config = settings.checked(fresh(TRIAL), PATH)
    assert (config.site.url, config.mail.transport) == ("http://192.168.0.23", "maildir")


@pytest.mark.parametrize(("host", "preset"), [
    ("smtp.naver.com", "naver"), ("smtp.gmail.com", "gmail"), ("smtp-relay.gmail.com", "workspace-relay"),
    ("email-smtp.ap-northeast-2.amazonaws.com", "ses"), ("mail.example.org", "")])
def test_a_known_relay_brings_what_is_known_of_it(host: str, preset: str) -> None:
    assert settings.preset(host) == preset


def test_asked_again_only_what_was_asked_about_changes() -> None:
    edited = fresh(PUBLIC).replace('[site]\n', '[site]\nname = "나의 아침"  # mine\nclock = "trust"\n')
    edited = edited.replace('time = "09:00"', 'time = "09:00"    # before work\nmost_per_blog = 3')
    edited += '\n[collect]\n# my blogs are far\ntotal_seconds = 20\n'
    asked = settings.of(Answers(**{**vars(PUBLIC), "time": "08:30", "copy_to": ""}), "192.168.0.23")
    after = settings.written(asked, edited)
    assert after == edited.replace('time = "09:00" ', 'time = "08:30" ').replace(
        'copy_to = "/mnt/stick"', 'copy_to = ""')
    config = settings.checked(after, PATH)
    assert (config.site.name, config.site.clock, config.collect.total_seconds) == ("나의 아침", "trust", 20)


def test_written_twice_a_file_stays_as_it_is() -> None:
    once = fresh(PUBLIC)
    assert settings.written(settings.of(PUBLIC, "192.168.0.23"), once) == once


def test_a_key_is_changed_in_its_own_section_alone() -> None:
    text = '[bounces]\nuser = "b"\n\n[mail]\ntransport = "smtp"\nhost = "h"\nuser = \'old\'  # login\n'
    assert settings.written({"mail": {"user": 'new "#1"'}}, text) == text.replace(
        "'old'", '"new \\"#1\\""')


def test_what_the_owner_spoilt_is_told_and_left_alone() -> None:
    with pytest.raises(Refused, match=r"/etc/devdigest/config.toml: \[digest\] tiem: unknown key") as refused:
        settings.checked('[digest]\ntiem = "10:00"\n', PATH)
    assert refused.value.status == 2


def test_the_records_to_set_name_the_relay_of_the_sender() -> None:
    assert sender.records("digest@example.org", "smtp-relay.brevo.com", "me@example.org") == [
        'example.org. TXT "v=spf1 include:spf.brevo.com ~all"',
        '_dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:me@example.org"',
        "DKIM: the record that smtp-relay.brevo.com shows for example.org"]
    assert sender.records("ada@gmail.com", "smtp.gmail.com", "ada@gmail.com") == []


def test_a_free_mailbox_is_told_for_how_many_readers_it_does() -> None:
    assert "up to 100 readers" in sender.advice("ada@naver.com", "smtp.naver.com", "")[0]
