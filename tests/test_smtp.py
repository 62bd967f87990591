"""Mailing over real sockets: to a server that behaves, and to one that does as a script says."""
import contextlib
import gc
import socket
import ssl
import threading
import time
from base64 import b64decode

import pytest
from relay import DROP, REPLIES, STALL, FakeRelay, ScriptedRelay, certificate, free_port, settings

from devdigest.config import Mail
from devdigest.replies import Dropped, InDoubt, Outcome, RelayError, Stage
from devdigest.smtp import Relay

DIGEST, ADA, BOB = "digest@example.org", "ada@example.org", "bob@example.org"
MAIL = b"Subject: digest\r\n\r\nnews\r\n"

WHERE = {Stage.CONNECT: "greeting", Stage.TLS: "STARTTLS", Stage.LOGIN: "AUTH", Stage.MAIL: "MAIL",
         Stage.RCPT: "RCPT", Stage.DATA: "."}
OFFERS_TLS = "250-relay\n250 STARTTLS"
OFFERS_LOGIN = "250-relay\n250 AUTH CRAM-MD5 PLAIN LOGIN"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("elsewhere"), "DNS:relay.example.org")


@pytest.fixture(scope="module")
def relay():
    with FakeRelay() as server:
        yield server


def send(server, message=MAIL, to=ADA, **changes):
    """What becomes of one mail over a connection of its own."""
    with Relay(settings(server, **changes), "secret", patience=0) as connection:
        return connection.send(DIGEST, to, message)


@pytest.mark.parametrize(("address", "outcome"), [
    ("ada@example.org", Outcome.ACCEPTED),
    ("full@example.org", Outcome.DEFERRED),
    ("later@example.org", Outcome.DEFERRED),
    ("gone@example.org", Outcome.REFUSED),
    ("spam@example.org", Outcome.CONTENT),
])
def test_the_relay_decides_what_becomes_of_a_mail(relay, address, outcome):
    assert send(relay, to=address).outcome is outcome
    assert (relay.messages[-1:] == [(DIGEST, address, MAIL)]) is (outcome is Outcome.ACCEPTED)


def test_a_refused_reader_does_not_stand_in_the_way_of_the_next_on_the_same_line(relay):
    with Relay(settings(relay), "") as connection:
        outcomes = [connection.send(DIGEST, f"{name}@example.org", MAIL).outcome
                    for name in ("gone", "ada", "spam", "bob")]
    assert outcomes == [Outcome.REFUSED, Outcome.ACCEPTED, Outcome.CONTENT, Outcome.ACCEPTED]
    assert [recipient for _, recipient, _ in relay.messages[-2:]] == [ADA, BOB]


# The reply table, over the wire

@pytest.mark.parametrize(("stage", "said", "outcome"), REPLIES)
def test_what_the_relay_says_reaches_the_queue_as_what_it_means(stage, said, outcome):
    ehlo = {Stage.TLS: OFFERS_TLS, Stage.LOGIN: OFFERS_LOGIN}.get(stage, "250 relay")
    changes = {Stage.TLS: {"security": "starttls"}, Stage.LOGIN: {"user": "ada"}}.get(stage, {})
    with ScriptedRelay({WHERE[stage]: said, "EHLO": ehlo}) as server:
        if stage in (Stage.CONNECT, Stage.TLS, Stage.LOGIN):
            with pytest.raises(RelayError) as raised:
                send(server, **changes)
            assert raised.value.outcome is outcome
            assert str(raised.value).startswith(f"127.0.0.1:{server.port}: ")
            assert str(raised.value.reply) == said
        else:
            reply = send(server)
            assert (reply.stage, str(reply), reply.outcome) == (stage, said, outcome)


def test_a_refusal_before_the_message_comes_is_judged_as_one_after_it():
    with ScriptedRelay({"DATA": "554 5.7.1 no"}) as server:
        assert send(server).outcome is Outcome.CONTENT
        assert server.messages == []


def test_every_refusal_ends_its_transaction():
    script = {"MAIL": ["550 no", "250 OK"], "RCPT": ["550 no", "250 OK"], "DATA": ["554 no", "354 go ahead"],
              ".": ["554 no", "250 OK"]}
    with ScriptedRelay(script) as server, Relay(settings(server), "") as connection:
        outcomes = [connection.send(DIGEST, ADA, MAIL).outcome for _ in range(5)]
    assert outcomes == [Outcome.ACCOUNT, Outcome.REFUSED, Outcome.CONTENT, Outcome.CONTENT, Outcome.ACCEPTED]
    said = " ".join(command.split()[0] for command in server.commands)
    assert said == "EHLO MAIL RSET MAIL RCPT RSET MAIL RCPT DATA RSET MAIL RCPT DATA RSET MAIL RCPT DATA QUIT"


@pytest.mark.parametrize("reset", ["503 what?", DROP])
def test_a_line_that_cannot_be_reset_is_given_up_and_the_refusal_kept(reset):
    with ScriptedRelay({"RCPT": "550 5.1.1 gone", "RSET": reset}) as server, \
            Relay(settings(server), "") as connection:
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.REFUSED
        with pytest.raises(Dropped):
            connection.send(DIGEST, BOB, MAIL)


def test_a_relay_that_closes_instead_of_a_reset_is_told_as_busy():
    with ScriptedRelay({"RCPT": "550 5.1.1 gone", "RSET": "421 enough"}) as server, \
            Relay(settings(server), "") as connection:
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.REFUSED
        assert connection.send(DIGEST, BOB, MAIL).outcome is Outcome.THROTTLED
        with pytest.raises(Dropped, match="closed before"):
            connection.send(DIGEST, BOB, MAIL)


@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA", "."])
def test_after_a_421_the_line_is_dead(point):
    with ScriptedRelay({point: "421 4.7.0 slower"}) as server, Relay(settings(server), "") as connection:
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.THROTTLED
        with pytest.raises(Dropped, match="closed before"):
            connection.send(DIGEST, BOB, MAIL)


# Lines that break: has the relay got the message?

@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("instead", [DROP, STALL, "what?", "9", "2", "999 far out", "100 hm", "x" * 10_000])
def test_before_the_dot_the_relay_has_it_not(point, instead):
    with ScriptedRelay({point: instead}) as server, \
            pytest.raises(Dropped, match=f"127.0.0.1:{server.port}: the line broke before the final dot"):
        send(server, timeout=0.3)
    assert server.messages == []


@pytest.mark.parametrize("instead", [DROP, STALL])
def test_in_the_middle_of_the_message_the_relay_has_it_not(instead):
    longer_than_any_buffer = MAIL + (b"n" * 900 + b"\r\n") * 15_000
    with ScriptedRelay({"message": instead}) as server, pytest.raises(Dropped):
        send(server, longer_than_any_buffer, timeout=0.3)


@pytest.mark.parametrize("instead", [DROP, STALL, "what?", "999 far out", "354 go ahead", "x" * 10_000])
def test_after_the_dot_nobody_knows(instead):
    with ScriptedRelay({".": instead}) as server, \
            pytest.raises(InDoubt, match=f"127.0.0.1:{server.port}: the line broke after the final dot"):
        send(server, timeout=0.3)
    assert server.messages == [MAIL]


@pytest.mark.parametrize("thanks", ["250 queued", "354 go ahead\n250 queued"])
def test_thanks_for_a_message_not_yet_sent_are_not_believed(thanks):
    with ScriptedRelay({"DATA": thanks}) as server, pytest.raises(Dropped, match="not yet sent"):
        send(server)


def test_a_relay_may_think_longer_about_a_message_than_about_a_command():
    with FakeRelay(delay=0.6) as server, Relay(settings(server, timeout=0.3), "") as connection:
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.ACCEPTED


def test_a_broken_line_stays_broken():
    with ScriptedRelay({".": [DROP, "250 OK"]}) as server, Relay(settings(server), "") as connection:
        with pytest.raises(InDoubt):
            connection.send(DIGEST, ADA, MAIL)
        with pytest.raises(Dropped):
            connection.send(DIGEST, ADA, MAIL)
    assert server.connections == 1


# What arrives

@pytest.mark.parametrize(("message", "arrives"), [
    (b"Subject: x\r\n\r\n.\r\n..\r\n.hidden\r\n", b"Subject: x\r\n\r\n.\r\n..\r\n.hidden\r\n"),
    (b".first: x\r\n\r\n", b".first: x\r\n\r\n"),
    (b"Subject: x\n\nbare\nline feeds\n", b"Subject: x\r\n\r\nbare\r\nline feeds\r\n"),
    (b"Subject: x\r\n\r\na\n.\nMAIL FROM:<eve@example.org>\n", b"Subject: x\r\n\r\na\r\n.\r\nMAIL FROM:"
                                                               b"<eve@example.org>\r\n"),
    (b"Subject: x\r\n\r\na\r.\rb", b"Subject: x\r\n\r\na\r\n.\r\nb\r\n"),
    (b"Subject: x\r\n\r\nno end", b"Subject: x\r\n\r\nno end\r\n"),
    (b"Subject: x\r\n\r\nempty lines\r\n\r\n\r\n", b"Subject: x\r\n\r\nempty lines\r\n\r\n\r\n"),
    ("Subject: x\r\n\r\n안녕하세요, 🙂\r\n".encode(), "Subject: x\r\n\r\n안녕하세요, 🙂\r\n".encode()),
])
def test_a_message_arrives_byte_by_byte_with_whole_line_ends(relay, message, arrives):
    assert send(relay, message).outcome is Outcome.ACCEPTED
    assert relay.messages[-1] == (DIGEST, ADA, arrives)


def test_an_eight_bit_message_is_announced_as_such_and_no_other():
    with ScriptedRelay({}) as server, Relay(settings(server), "") as connection:
        assert connection.eight_bit
        connection.send(DIGEST, ADA, MAIL)
        connection.send(DIGEST, ADA, "Subject: x\r\n\r\n안녕\r\n".encode())
    assert [command for command in server.commands if command.startswith("MAIL")] == [
        f"MAIL FROM:<{DIGEST}>", f"MAIL FROM:<{DIGEST}> BODY=8BITMIME"]


def test_an_eight_bit_message_is_not_sent_where_it_is_not_taken():
    with ScriptedRelay({"EHLO": "250 relay"}) as server, Relay(settings(server), "") as connection:
        assert not connection.eight_bit
        with pytest.raises(ValueError, match="8BITMIME"):
            connection.send(DIGEST, ADA, "Subject: x\r\n\r\n안녕\r\n".encode())
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.ACCEPTED
    assert server.messages == [MAIL]


@pytest.mark.parametrize("address", ["에이다@example.org", "ada@example.org\r\nDATA", "ada@example.org>"])
def test_a_wrong_address_is_an_error_before_a_word_is_said_of_it(address):
    with ScriptedRelay({}) as server, Relay(settings(server), "") as connection:
        with pytest.raises(ValueError, match="recipient"):
            connection.send(DIGEST, address, MAIL)
        with pytest.raises(ValueError, match="sender"):
            connection.send(address, ADA, MAIL)
        assert connection.send(DIGEST, BOB, MAIL).outcome is Outcome.ACCEPTED
    assert server.commands[1:] == [f"MAIL FROM:<{DIGEST}>", f"RCPT TO:<{BOB}>", "DATA", "QUIT"]


def test_a_reply_of_several_lines_is_read_to_its_end():
    with ScriptedRelay({"RCPT": ["550-5.1.1 no such user\n550 5.1.1 sorry", "250 OK"]}) as server, \
            Relay(settings(server), "") as connection:
        assert str(connection.send(DIGEST, ADA, MAIL)) == "550 5.1.1 no such user 5.1.1 sorry"
        assert connection.send(DIGEST, BOB, MAIL).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("hostile", ["250-" + "\n250-".join(["more"] * 1000) + "\n250 done", "250-a\n550 b",
                                     "250-" + "x" * 5000 + "\n250 ok"])
def test_a_reply_that_is_none_is_not_read_to_its_end(hostile):
    with ScriptedRelay({"RCPT": hostile}) as server, pytest.raises(Dropped, match="before the final dot"):
        send(server)


def test_a_reply_that_trickles_in_has_no_more_time_than_another():
    with socket.create_server(("127.0.0.1", 0)) as server:
        def trickle():
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                while not over.wait(0.05):
                    line.sendall(b"220-a\r\n")

        over = threading.Event()
        relay = threading.Thread(target=trickle)
        relay.start()
        began = time.monotonic()
        with pytest.raises(RelayError, match="no answer in time"):
            Relay(Mail(host="127.0.0.1", port=server.getsockname()[1], security="none", timeout=0.3), "")
        assert time.monotonic() - began < 2
        over.set()
        relay.join()


# What the relay offers

def test_what_the_relay_offers_is_known():
    offer = "250-relay\n250-PIPELINING\n250-SIZE 20971520\n250-LIMITS RCPTMAX=50 MAILMAX=100\n250 8BITMIME"
    with ScriptedRelay({"EHLO": offer}) as server, Relay(settings(server, window=8), "") as connection:
        assert (connection.eight_bit, connection.pipelining, connection.chunking) == (True, True, False)
        assert (connection.size, connection.limits, connection.tls) == (20971520, 100, "")
        assert connection.window == 1
        assert connection.extensions == ("8BITMIME", "LIMITS", "PIPELINING", "SIZE")


@pytest.mark.parametrize("offer", ["250 relay", "250-relay\n250-SIZE\n250 LIMITS", "250-relay\n250-SIZE 0\n"
                                   "250 LIMITS MAILMAX=x", "250-\n250-   \n250 LIMITS MAILMAX"])
def test_what_it_does_not_say_is_not_guessed(offer):
    with ScriptedRelay({"EHLO": offer}) as server, Relay(settings(server), "") as connection:
        assert (connection.size, connection.limits) == (None, None)
        assert not connection.pipelining


# Encryption

def test_a_mail_goes_over_tls_from_the_first_byte(trusted):
    with FakeRelay(certificate=trusted) as server:
        assert send(server, security="tls", ca_file=str(trusted)).outcome is Outcome.ACCEPTED
        assert server.messages == [(DIGEST, ADA, MAIL)]


def test_a_mail_goes_over_starttls_and_the_relay_is_greeted_anew(trusted):
    script = {"EHLO": ["250-relay\n250-8BITMIME\n250 STARTTLS", "250 relay"]}
    with ScriptedRelay(script, trusted) as server, \
            Relay(settings(server, security="starttls", ca_file=str(trusted)), "") as connection:
        assert not connection.eight_bit         # that was offered in the clear
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.ACCEPTED
    assert server.commands[:3] == ["EHLO example.org", "STARTTLS", "EHLO example.org"]


def test_what_is_slipped_in_before_the_handshake_ends_it(trusted):
    script = {"EHLO": [OFFERS_TLS, "250 relay"], "STARTTLS": "220 go ahead\n250-relay\n250 8BITMIME"}
    with ScriptedRelay(script, trusted) as server, pytest.raises(RelayError, match="slipped in before"):
        send(server, security="starttls", ca_file=str(trusted))


def test_connections_share_what_they_need_to_verify(trusted):
    def contexts():
        return sum(isinstance(one, ssl.SSLContext) and one.protocol is ssl.PROTOCOL_TLS_CLIENT
                   for one in gc.get_objects())

    with FakeRelay(certificate=trusted) as server:
        before, mail = contexts(), settings(server, security="tls", ca_file=str(trusted))
        with Relay(mail, "") as one, Relay(mail, "") as other:
            assert contexts() == before + 1
            assert one.tls == other.tls == "TLSv1.3"
        del one, other
        assert contexts() == before


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_not_accepted(trusted, security):
    with FakeRelay(certificate=trusted, starttls=security == "starttls") as server:
        with pytest.raises(RelayError, match=f"127.0.0.1:{server.port}: its certificate is not accepted: "
                                             f"self-signed certificate; .*ca_file") as raised:
            send(server, security=security)
        assert raised.value.outcome is None
        assert server.messages == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_certificate_of_another_host_is_not_accepted(elsewhere, security):
    with FakeRelay(certificate=elsewhere, starttls=security == "starttls") as server:
        with pytest.raises(RelayError, match=r"not accepted: IP address mismatch.*\[mail\] host"):
            send(server, security=security, ca_file=str(elsewhere))
        assert server.messages == []


def test_without_starttls_nothing_is_said_in_the_clear():
    with ScriptedRelay({"EHLO": OFFERS_LOGIN}) as server, \
            pytest.raises(RelayError, match=r"offers no STARTTLS.*port 465"):
        send(server, security="starttls", user="ada")
    assert server.commands == ["EHLO example.org"]


def test_a_relay_that_speaks_no_tls_is_named_with_the_cure():
    with ScriptedRelay({}) as server, pytest.raises(RelayError, match=r"TLS failed.*587 with 'starttls'"):
        send(server, security="tls")


def test_no_encryption_is_for_this_machine_alone():
    with pytest.raises(RelayError, match=r"relay.example.org:25: without encryption"):
        Relay(Mail(host="relay.example.org", port=25, security="none"), "")


def test_a_missing_ca_file_is_named(relay, tmp_path):
    with pytest.raises(RelayError, match=r"ca_file .*/ca.pem: No such file"):
        Relay(settings(relay, security="tls", ca_file=str(tmp_path / "ca.pem")), "")


# Login

@pytest.mark.parametrize("starttls", [False, True])
def test_a_mail_goes_after_a_login(trusted, starttls):
    mail = {"security": "starttls" if starttls else "tls", "ca_file": str(trusted), "user": "에이다"}
    with FakeRelay(certificate=trusted, starttls=starttls, user="에이다", password="비밀 번호") as server, \
            Relay(settings(server, **mail), "비밀 번호") as connection:
        assert connection.send(DIGEST, ADA, MAIL).outcome is Outcome.ACCEPTED


def test_a_wrong_password_is_told_to_the_owner_and_not_shown():
    with FakeRelay(user="ada", password="right") as server, \
            pytest.raises(RelayError, match=r"refuses the login of ada: 535 5.7.8 .*app password") as raised:
        Relay(settings(server, user="ada"), "wrong")
    assert raised.value.outcome is Outcome.ACCOUNT
    assert "wrong" not in str(raised.value)


def test_without_a_user_there_is_no_login_and_the_relay_may_mind():
    with FakeRelay(user="ada", password="right") as server:
        assert send(server).outcome is Outcome.ACCOUNT


@pytest.mark.parametrize(("offer", "said", "commands"), [
    ("AUTH PLAIN LOGIN", ["235 welcome"], ["AUTH PLAIN \0ada\0secret"]),
    ("AUTH XOAUTH2 LOGIN", ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"],
     ["AUTH LOGIN", "ada", "secret"]),
    ("AUTH=PLAIN", ["235 welcome"], ["AUTH PLAIN \0ada\0secret"]),
    ("AUTH LOGIN PLAIN", ["504 5.5.4 not this", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"],
     ["AUTH PLAIN \0ada\0secret", "AUTH LOGIN", "ada", "secret"]),
])
def test_the_login_is_plain_or_else_login_and_no_ehlo_follows(offer, said, commands):
    def clear(line):
        *command, secret = line.split(" ")
        return line if line == "AUTH LOGIN" else " ".join([*command, b64decode(secret).decode()])

    with ScriptedRelay({"EHLO": f"250-relay\n250 {offer}", "AUTH": said}) as server:
        assert send(server, user="ada").outcome is Outcome.ACCEPTED
    ehlo, *login = server.commands[:server.commands.index(f"MAIL FROM:<{DIGEST}>")]
    assert ehlo == "EHLO example.org"
    assert [clear(line) for line in login] == commands


def test_a_refused_login_is_not_tried_in_another_way():
    with ScriptedRelay({"EHLO": OFFERS_LOGIN, "AUTH": "535 5.7.8 no"}) as server, pytest.raises(RelayError):
        send(server, user="ada")
    assert len([command for command in server.commands if command.startswith("AUTH")]) == 1


@pytest.mark.parametrize(("ehlo", "named"),
                         [("250 relay", "nothing"), ("250-relay\n250 AUTH XOAUTH2", "XOAUTH2")])
def test_a_relay_without_a_login_that_we_know_is_for_the_owner(ehlo, named):
    with ScriptedRelay({"EHLO": ehlo}) as server, \
            pytest.raises(RelayError, match=f"offers login by {named}, not PLAIN or LOGIN") as raised:
        send(server, user="ada")
    assert raised.value.outcome is Outcome.ACCOUNT


# Relays that are not there

def test_a_relay_that_is_down_is_said_at_once():
    with pytest.raises(RelayError, match=r"^127.0.0.1:\d+: connection refused") as raised:
        Relay(Mail(host="127.0.0.1", port=free_port(), security="none"), "")
    assert (raised.value.reply, raised.value.outcome) == (None, None)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_a_name_that_is_none_is_said(host):
    with pytest.raises(RelayError, match=f"^{host}:465: "):
        Relay(Mail(host=host), "")


@pytest.mark.parametrize(("point", "security"), [("greeting", "none"), ("EHLO", "none"), ("greeting", "tls")])
def test_a_silent_relay_is_waited_for_no_longer_than_the_time_out(point, security):
    began = time.monotonic()
    with ScriptedRelay({point: STALL}) as server, pytest.raises(RelayError, match="no answer in time"):
        send(server, timeout=0.5, security=security)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("point", ["greeting", "EHLO"])
@pytest.mark.parametrize("instead", [DROP, "what?", "x" * 10_000])
def test_a_relay_that_does_not_get_as_far_as_mail_is_a_relay_error(point, instead):
    with ScriptedRelay({point: instead}) as server, pytest.raises(RelayError) as raised:
        send(server)
    assert type(raised.value) is RelayError
    assert raised.value.outcome is None


@pytest.mark.parametrize("farewell", ["221 bye", DROP, "what?", "421 gone", "500 never"])
def test_a_connection_is_closed_whatever_the_relay_says(farewell):
    with ScriptedRelay({"QUIT": farewell}) as server:
        connection = Relay(settings(server), "")
        connection.close()
        connection.close()
        with pytest.raises(Dropped):
            connection.send(DIGEST, ADA, MAIL)


def test_a_relay_that_never_says_goodbye_is_left():
    with ScriptedRelay({"QUIT": STALL}) as server:
        connection = Relay(settings(server, timeout=60), "")
        began = time.monotonic()
        connection.close()
        assert time.monotonic() - began < 3
