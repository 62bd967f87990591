"""Mailing in groups: one round trip a mail with PIPELINING, several mails at once with CHUNKING."""
import contextlib
import time

import pytest
from relay import CHUNKED, DROP, PIPELINED, REPLIES, STALL, FakeRelay, ScriptedRelay, settings

from devdigest.replies import Dropped, Envelope, InDoubt, Outcome, Reply, Stage
from devdigest.smtp import Relay
from devdigest.wire import Whole

DIGEST, ADA, BOB, CAROL = (f"{name}@example.org" for name in ("digest", "ada", "bob", "carol"))
MAIL = b"Subject: digest\r\n\r\nnews\r\n"
PLAIN = "250-relay\n250 8BITMIME"
ACCEPTED, REFUSED, THROTTLED = Outcome.ACCEPTED, Outcome.REFUSED, Outcome.THROTTLED


def to(recipient: str) -> Envelope:
    return Envelope(DIGEST, recipient)


def connected(server: ScriptedRelay, **changes: float) -> Relay:
    return Relay(settings(server, **changes), "", patience=0)


def deliver(connection: Relay, *recipients: str) -> list[Outcome]:
    """What becomes of a mail to each, where the next is announced with the one before."""
    outcomes = []
    for recipient, then in zip(recipients, (*map(to, recipients[1:]), None), strict=True):
        reply = connection.announce(to(recipient)) or connection.transmit(MAIL, then)
        outcomes.append(reply.outcome)
    return outcomes


def outcomes_of(replies: list[Reply | None]) -> list[Outcome | None]:
    return [reply and reply.outcome for reply in replies]


def said(server: ScriptedRelay) -> str:
    return " ".join(command.split()[0] for command in server.commands)


# Round trips

@pytest.mark.parametrize(("ehlo", "turns"), [(PIPELINED, 6), (PLAIN, 20)])
def test_a_mail_costs_one_round_trip_where_the_relay_takes_groups(ehlo, turns):
    with ScriptedRelay({"EHLO": ehlo}) as server:
        with connected(server) as connection:
            assert deliver(connection, *[ADA, BOB, CAROL, ADA, BOB]) == [ACCEPTED] * 5
        assert server.messages == [MAIL] * 5
    assert said(server) == "EHLO" + " MAIL RCPT DATA" * 5 + " QUIT"
    assert server.turns - 2 == turns            # without EHLO and QUIT; the first mail takes one more


def test_several_mails_cost_one_round_trip_where_there_is_a_window():
    mails = [(to(f"reader{number}@example.org"), MAIL) for number in range(10)]
    with ScriptedRelay({"EHLO": CHUNKED}) as server:
        with connected(server, window=4) as connection:
            assert outcomes_of(connection.send_all(mails)) == [ACCEPTED] * 10
        assert server.messages == [MAIL] * 10
    assert server.turns - 2 == 3
    burst = " MAIL RCPT BDAT" + " RSET MAIL RCPT BDAT" * 3
    assert said(server) == "EHLO" + burst * 2 + " MAIL RCPT BDAT RSET MAIL RCPT BDAT QUIT"


@pytest.mark.parametrize(("ehlo", "window", "turns"), [(PLAIN, 4, 12), (PIPELINED, 4, 4), (CHUNKED, 1, 4)])
def test_without_a_window_or_chunking_it_is_one_mail_after_the_other(ehlo, window, turns):
    with ScriptedRelay({"EHLO": ehlo}) as server:
        with connected(server, window=window) as connection:
            assert connection.window == 1
            replies = connection.send_all([(to(ADA), MAIL), (to(BOB), MAIL), (to(CAROL), MAIL)])
        assert outcomes_of(replies) == [ACCEPTED] * 3
    assert server.turns - 2 == turns
    assert "BDAT" not in said(server)


# The reply table, in groups

IN_A_MAIL = [row for row in REPLIES if row[0] in (Stage.MAIL, Stage.RCPT, Stage.DATA)]


@pytest.mark.parametrize("point", ["DATA", "."])
@pytest.mark.parametrize(("stage", "reply", "outcome"), IN_A_MAIL)
def test_what_is_said_in_a_group_is_judged_as_in_a_plain_dialogue(stage, reply, outcome, point):
    where, then = {Stage.MAIL: ("MAIL", "250 OK"), Stage.RCPT: ("RCPT", "250 OK"),
                   Stage.DATA: (point, "354 go ahead" if point == "DATA" else "250 OK")}[stage]
    before = then if stage is not Stage.DATA or point == "DATA" else "250 queued"
    script = {"EHLO": PIPELINED, where: [before, reply, then]}
    if stage is not Stage.DATA:         # as most relays do without a recipient
        script["DATA"] = ["354 go ahead", "554 5.5.1 no valid recipients", "354 go ahead"]
    with ScriptedRelay(script) as server, connected(server) as connection:
        assert connection.announce(to(ADA)) is None
        assert connection.transmit(MAIL, to(BOB)).outcome is ACCEPTED
        bobs = connection.announce(to(BOB)) or connection.transmit(MAIL, to(CAROL))
        assert (bobs.stage, str(bobs), bobs.outcome) == (stage, reply, outcome)
        if reply.startswith(("421", "354")):
            with pytest.raises(Dropped):
                connection.announce(to(CAROL))
            return
        assert connection.announce(to(CAROL)) is None
        assert connection.transmit(MAIL).outcome is ACCEPTED
        assert server.messages[0] == server.messages[-1] == MAIL


@pytest.mark.parametrize(("stage", "reply", "outcome"), IN_A_MAIL)
def test_what_is_said_in_a_window_is_judged_so_too_and_spoils_no_other_mail(stage, reply, outcome):
    where = {Stage.MAIL: "MAIL", Stage.RCPT: "RCPT", Stage.DATA: "BDAT"}[stage]
    script = {"EHLO": CHUNKED, where: ["250 OK", reply, "250 OK"]}
    if stage is not Stage.DATA:
        script["BDAT"] = ["250 OK", "503 5.5.1 no valid recipients", "250 OK"]
    with ScriptedRelay(script) as server, connected(server, window=3) as connection:
        replies = connection.send_all([(to(ADA), MAIL), (to(BOB), MAIL), (to(CAROL), MAIL)])
        assert (replies[1].stage, str(replies[1]), replies[1].outcome) == (stage, reply, outcome)
    if reply.startswith("421"):
        assert outcomes_of(replies) == [ACCEPTED, outcome]
    elif reply.startswith("354"):
        assert outcomes_of(replies) == [ACCEPTED, outcome, None]
    else:
        assert outcomes_of(replies) == [ACCEPTED, outcome, ACCEPTED]


# Refusals in the middle

def test_a_relay_that_wants_a_message_for_nobody_gets_a_lone_dot_with_the_next_group():
    script = {"EHLO": PIPELINED, "RCPT": ["550 5.1.1 gone", "250 OK"], ".": ["554 no recipients", "250 OK"]}
    with ScriptedRelay(script) as server:
        with connected(server) as connection:
            assert deliver(connection, ADA, BOB) == [REFUSED, ACCEPTED]
        assert server.messages == [b"", MAIL]
    assert said(server) == "EHLO MAIL RCPT DATA RSET MAIL RCPT DATA QUIT"
    assert server.turns - 2 == 3


def test_the_lone_dot_is_said_before_goodbye():
    with ScriptedRelay({"EHLO": PIPELINED, "RCPT": "550 5.1.1 gone"}) as server:
        with connected(server) as connection:
            assert deliver(connection, ADA) == [REFUSED]
        assert server.messages == [b""]
    assert said(server) == "EHLO MAIL RCPT DATA QUIT"


def test_no_dot_makes_an_empty_mail_where_only_the_sender_was_refused():
    with ScriptedRelay({"EHLO": PIPELINED, "MAIL": "550 not you"}) as server, connected(server) as connection:
        assert deliver(connection, ADA) == [Outcome.ACCOUNT]
        with pytest.raises(Dropped):
            connection.announce(to(BOB))
    assert server.messages == []


@pytest.mark.parametrize("after", [DROP, "421 enough", "what?"])
def test_a_refusal_stands_whatever_becomes_of_the_rest_of_its_group(after):
    with ScriptedRelay({"EHLO": PIPELINED, "RCPT": "550 5.1.1 gone", "DATA": after}) as server, \
            connected(server) as connection:
        assert deliver(connection, ADA) == [REFUSED]
        with pytest.raises(Dropped):
            connection.announce(to(BOB))


def test_a_refused_mail_does_not_take_the_announced_one_with_it():
    script = {"EHLO": PIPELINED, ".": ["554 5.6.0 malformed", "250 OK"]}
    with ScriptedRelay(script) as server, connected(server) as connection:
        assert deliver(connection, ADA, BOB) == [Outcome.CONTENT, ACCEPTED]
        assert "RSET" not in said(server)


# Lines that break

def test_after_a_421_for_a_mail_the_announced_one_is_surely_not_taken():
    script = {"EHLO": PIPELINED, ".": "421 4.7.0 slower"}
    with ScriptedRelay(script) as server, connected(server) as connection:
        assert connection.announce(to(ADA)) is None
        assert connection.transmit(MAIL, to(BOB)).outcome is THROTTLED
        with pytest.raises(Dropped):
            connection.announce(to(BOB))


@pytest.mark.parametrize("instead", [DROP, STALL, "what?", "354 go ahead"])
def test_after_the_dot_nobody_knows_though_the_next_mail_was_announced(instead):
    with ScriptedRelay({"EHLO": PIPELINED, ".": instead}) as server, \
            connected(server, timeout=0.3) as connection:
        assert connection.announce(to(ADA)) is None
        with pytest.raises(InDoubt, match="after the final dot"):
            connection.transmit(MAIL, to(BOB))
        with pytest.raises(Dropped):
            connection.announce(to(BOB))


@pytest.mark.parametrize("instead", [DROP, STALL])
def test_a_message_of_which_the_dot_never_left_is_surely_not_taken(instead):
    longer_than_any_buffer = MAIL + (b"n" * 900 + b"\r\n") * 15_000
    with ScriptedRelay({"EHLO": PIPELINED, "message": instead}) as server, \
            connected(server, timeout=0.3) as connection:
        assert connection.announce(to(ADA)) is None
        with pytest.raises(Dropped, match="before the final dot"):
            connection.transmit(longer_than_any_buffer, to(BOB))


@pytest.mark.parametrize(("script", "expected"), [
    ({"BDAT": ["250 OK", DROP]}, [ACCEPTED, None, None]),
    ({"BDAT": ["250 OK", STALL]}, [ACCEPTED, None, None]),
    ({"BDAT": ["250 OK", "354 more"]}, [ACCEPTED, None, None]),
    ({"MAIL": DROP}, [None, None, None]),
    ({"RCPT": ["550 5.1.1 gone", "250 OK"], "BDAT": DROP}, [REFUSED, None, None]),
    ({"RSET": "503 what?"}, [ACCEPTED, None, None]),
    ({"RSET": "421 enough"}, [ACCEPTED, THROTTLED]),
])
def test_a_line_that_breaks_in_a_window_leaves_open_what_is_open_and_no_more(script, expected):
    with ScriptedRelay({"EHLO": CHUNKED} | script) as server, \
            connected(server, window=3, timeout=0.3) as connection:
        replies = connection.send_all([(to(ADA), MAIL), (to(BOB), MAIL), (to(CAROL), MAIL), (to(ADA), MAIL)])
        assert outcomes_of(replies) == expected
        with pytest.raises(Dropped, match="closed before"):
            connection.send_all([(to(ADA), MAIL)])


def test_of_a_window_that_never_left_nothing_is_open():
    large = MAIL + (b"n" * 900 + b"\r\n") * 15_000
    with ScriptedRelay({"EHLO": CHUNKED, "MAIL": STALL}) as server, \
            connected(server, window=2, timeout=0.3) as connection, \
            pytest.raises(Dropped, match="before the final dot"):
        connection.send_all([(to(ADA), large), (to(BOB), large)])


@pytest.mark.parametrize(("ehlo", "script", "expected"), [
    (PIPELINED, {".": ["250 OK", DROP]}, [ACCEPTED, None]),
    (PLAIN, {".": ["250 OK", DROP]}, [ACCEPTED, None]),
    (PIPELINED, {"DATA": ["354 go", DROP]}, [ACCEPTED]),
    (PLAIN, {"DATA": ["354 go", DROP]}, [ACCEPTED]),
    (PLAIN, {".": ["250 OK", "421 enough"]}, [ACCEPTED, THROTTLED]),
])
def test_one_after_the_other_too_what_is_missing_was_surely_not_taken(ehlo, script, expected):
    with ScriptedRelay({"EHLO": ehlo} | script) as server, connected(server) as connection:
        assert outcomes_of(connection.send_all([(to(ADA), MAIL)] * 4)) == expected


@pytest.mark.parametrize(("ehlo", "command"), [(PLAIN, "MAIL"), (PLAIN, "RCPT"), (PLAIN, "."),
                                               (PIPELINED, "MAIL"), (PIPELINED, ".")])
@pytest.mark.parametrize("surplus", ["250 once more", "550 5.1.1 gone", "451 4.3.0 later"])
def test_one_reply_too_many_is_not_taken_for_the_next(ehlo, command, surplus):
    with ScriptedRelay({"EHLO": ehlo, command: ["250 OK", f"250 OK\n{surplus}"]}) as server, \
            connected(server) as connection:
        taken = 2 if command == "." else 1
        for _ in range(taken):
            assert connection.send(DIGEST, ADA, MAIL).outcome is ACCEPTED
        with pytest.raises(Dropped):
            connection.send(DIGEST, BOB, MAIL)
        assert len(server.messages) == taken


# Misunderstandings of our own

def test_another_mail_than_the_announced_one_is_never_sent_in_its_place():
    with ScriptedRelay({"EHLO": PIPELINED}) as server, connected(server) as connection:
        connection.announce(to(ADA))
        connection.transmit(MAIL, to(BOB))
        with pytest.raises(Dropped, match="another mail was announced"):
            connection.announce(to(CAROL))
    assert server.messages == [MAIL]


@pytest.mark.parametrize("next_call", [lambda line: line.announce(to(BOB)), lambda line: line.close(),
                                       lambda line: line.send_all([(to(BOB), MAIL)])])
def test_while_a_message_is_due_no_command_becomes_a_line_of_it(next_call):
    with ScriptedRelay({"EHLO": CHUNKED}) as server, connected(server, window=2) as connection:
        assert connection.announce(to(ADA)) is None
        with contextlib.suppress(Dropped):
            next_call(connection)
        with pytest.raises(Dropped):
            connection.send(DIGEST, BOB, MAIL)
    assert (said(server), server.messages) == ("EHLO MAIL RCPT DATA", [])


def test_a_message_that_nobody_waits_for_is_not_sent():
    with ScriptedRelay({"EHLO": PIPELINED}) as server, connected(server) as connection, \
            pytest.raises(ValueError, match="without an envelope"):
        connection.transmit(b"RSET\r\n")
    assert said(server) == "EHLO"


@pytest.mark.parametrize("ehlo", [PIPELINED, CHUNKED])
@pytest.mark.parametrize(("wrong", "reason"), [
    ((to("bob@example.org\r\nDATA"), MAIL), "not an ASCII address"),
    ((to(BOB), "안녕\r\n".encode()), "8-bit"),
    ((to(BOB), b"x" * 999), "999 octets")])
def test_a_mail_that_must_not_leave_stops_all_of_them_before_the_first(ehlo, wrong, reason):
    with ScriptedRelay({"EHLO": ehlo}) as server:
        with connected(server, window=4) as connection, pytest.raises(ValueError, match=reason):
            connection.send_all([(to(ADA), MAIL), wrong])
        assert (said(server), server.messages) == ("EHLO QUIT", [])


# What arrives

@pytest.mark.parametrize("message", [b"a\r\n.\r\n..b\r\n", b".\r\n", "안녕, 🙂\r\n".encode(), b"no end",
                                     b"BDAT 7 LAST\r\nQUIT\r\n"])
def test_in_chunks_a_message_arrives_octet_by_octet(message):
    envelope = Envelope(DIGEST, ADA, not message.isascii())
    with ScriptedRelay({"EHLO": CHUNKED}) as server, connected(server, window=2) as connection:
        assert outcomes_of(connection.send_all([(envelope, message)] * 2)) == [ACCEPTED] * 2
        assert server.messages == [message.removesuffix(b"\r\n") + b"\r\n"] * 2
    assert [command for command in server.commands if "MAIL" in command] == [
        f"MAIL FROM:<{DIGEST}>" + ("" if message.isascii() else " BODY=8BITMIME")] * 2


def test_in_groups_a_message_arrives_octet_by_octet():
    messages = [b"a\r\n.\r\n..b\r\n", b".\r\n", b"QUIT\r\n"]
    with FakeRelay() as server, Relay(settings(server), "") as connection:
        for message in messages:
            assert connection.send(DIGEST, ADA, message).outcome is ACCEPTED
        assert [message for _, _, message in server.messages] == messages


def test_a_relay_that_says_much_before_it_reads_on_is_heard_meanwhile():
    story = "\n".join(f"250-{'x' * 3900}" for _ in range(60)) + "\n250 OK"
    large = Whole(MAIL + (b"n" * 900 + b"\r\n") * 10_000)
    with ScriptedRelay({"EHLO": CHUNKED, "MAIL": [story, "250 OK"]}) as server, \
            connected(server, window=2, timeout=3) as connection:
        began = time.monotonic()
        assert outcomes_of(connection.send_all([(to(ADA), large)] * 2)) == [ACCEPTED] * 2
        assert time.monotonic() - began < 3
