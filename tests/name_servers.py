"""A real DNS server on loopback, which knows what it is told and nothing else."""
import socketserver
import threading
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENT, BROKEN = "silent", "broken"     # instead of records: no answer at all; SERVFAIL


class FakeNameServer(socketserver.ThreadingUDPServer):
    """`records`: by "TXT example.org" or "MX example.org", as in a zone file; change them while it runs."""
    daemon_threads = True
    max_packet_size = 4096

    def __init__(self, records: dict[str, list[str] | str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), None)
        self.records = records or {}
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def finish_request(self, request: tuple, client_address: object) -> None:
        data, socket = request
        query = dns.message.from_wire(data)
        [question] = query.question
        asked = f"{question.rdtype.name} {question.name.to_text(omit_final_dot=True).lower()}"
        self.asked.append(asked)
        found = self.records.get(asked)
        if found == SILENT:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found == BROKEN:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, found))
        socket.sendto(answer.to_wire(), client_address)


def text(record: str) -> str:
    """A TXT record as a zone file has it: in strings of at most 255 octets (RFC 1035, 3.3)."""
    return " ".join(f'"{record[start:start + 255]}"' for start in range(0, len(record), 255))
