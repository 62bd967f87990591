import pytest

from devdigest.addresses import is_public


@pytest.mark.parametrize("address", [
    "8.8.8.8", "211.231.99.17", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "126.255.255.255",
    "2606:4700:4700::1111", "2001:200::1", "2400:cb00::1", "3ffe::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
])
def test_an_address_of_the_internet_may_be_asked(address):
    assert is_public(address)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3",               # this host
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",          # private
    "169.254.169.254", "100.64.0.1", "100.127.255.255",                 # link-local, a carrier's NAT
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",     # multicast, reserved, broadcast
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
])
def test_a_special_ipv4_address_is_refused_in_every_disguise(address):
    assert not is_public(address)
    assert not is_public(f"::ffff:{address}")
    assert not is_public(f"::{address}")
    assert not is_public(f"::ffff:0:{address}")
    assert not is_public(f"64:ff9b::{address}")


@pytest.mark.parametrize("address", [
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "64:ff9b:1::8.8.8.8",                       # NAT64 of one's own network (RFC 8215)
    "2002:7f00:1::", "2002:c0a8:1::1",          # 6to4 of loopback and a private address
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",     # Teredo
    "2001:db8::1", "3fff::1", "100::1", "5f00::1", "2001:2::1",
])
def test_a_special_ipv6_address_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "2130706433", "0177.0.0.1", "0x7f000001",
                                  "[::1]", "1.2.3.4 ", "1.2.3.4/32", "::g"])
def test_what_is_no_address_is_refused(text):
    assert not is_public(text)
