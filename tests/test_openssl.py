import pytest
from amazon import P256, identity, openssl

from devdigest.openssl import OpensslError, fits, public_key
from devdigest.signatures import Claim

TEXT = "오늘의 글".encode()


@pytest.fixture(scope="module", params=[("rsa:2048",), P256], ids=["RSA", "ECDSA"])
def pair(request, tmp_path_factory):
    """(public key, private key's file)"""
    certificate, key = identity(tmp_path_factory.mktemp("keys") / "pair", "example.org", *request.param)
    return public_key(certificate.read_bytes()), key


def signed(key, text=TEXT, digest="sha256"):
    return Claim(text, openssl("dgst", f"-{digest}", "-sign", key, given=text), digest)


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("text", [TEXT, b"", bytes(256 * 1024)], ids=["short", "empty", "256 KB"])
def test_a_signature_fits_the_key_it_was_made_for(pair, digest, text):
    assert fits(signed(pair[1], text, digest), pair[0])


def test_a_signature_fits_nothing_else(pair, tmp_path):
    key, private = pair
    claim = signed(private)
    other = public_key(identity(tmp_path / "other", "example.org", *P256)[0].read_bytes())
    assert not fits(Claim(TEXT + b"!", claim.signature, "sha256"), key)
    assert not fits(Claim(TEXT, claim.signature, "sha1"), key)
    assert not fits(Claim(TEXT, claim.signature[:-1], "sha256"), key)
    assert not fits(Claim(TEXT, b"", "sha256"), key)
    assert not fits(claim, other)


@pytest.mark.parametrize("key", [b"", b"nonsense",
                                 b"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n"])
def test_nothing_fits_what_is_no_key(pair, key):
    assert not fits(signed(pair[1]), key)


def test_a_private_key_is_no_public_one(pair):
    assert not fits(signed(pair[1]), pair[1].read_bytes())


@pytest.mark.parametrize("document", [b"", b"nonsense", bytes(65_536)])
def test_what_is_no_certificate_has_no_key(document):
    assert public_key(document) is None


def test_without_openssl_nothing_is_said_of_a_signature(pair, monkeypatch):
    claim = signed(pair[1])
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OpensslError, match="could not be asked"):
        fits(claim, pair[0])
