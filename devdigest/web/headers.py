"""What every answer tells browsers, whatever it is about."""
from devdigest.config import Site

_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

_ALWAYS = (
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Referrer-Policy", "no-referrer"),         # addresses of pages carry tokens
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),                # for those who do not know frame-ancestors
)
# A year. Not for names below ours: those of a dynamic DNS zone belong to others (RFC 6797, 6.1.2).
_SECURE = ("Strict-Transport-Security", "max-age=31536000")


def common(site: Site) -> tuple[tuple[str, str], ...]:
    return (*_ALWAYS, _SECURE) if site.url.startswith("https:") else _ALWAYS
