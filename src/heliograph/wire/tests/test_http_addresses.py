"""The guard: which URLs are read how, and which addresses are refused."""

import pytest

from heliograph.wire.addresses import HttpError, parse_url, refusal


@pytest.mark.parametrize(
    ("url", "origin", "authority", "path"),
    [
        ("http://example.com", "http://example.com:80", "example.com", "/"),
        ("HTTPS://Example.COM/Dr?x=1#top", "https://example.com:443", "example.com", "/Dr?x=1"),
        ("http://example.com:8080/a", "http://example.com:8080", "example.com:8080", "/a"),
        ("https://example.com:443/", "https://example.com:443", "example.com", "/"),
        ("http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81", "[2001:db8::1]:81", "/x"),
        (
            "http://bücher.example/ä?ö=1",
            "http://xn--bcher-kva.example:80",
            "xn--bcher-kva.example",
            "/%C3%A4?%C3%B6=1",
        ),
        ("http://example.com?q", "http://example.com:80", "example.com", "/?q"),
        ("http://a_b.example./", "http://a_b.example.:80", "a_b.example.", "/"),
    ],
)
def test_url_parts(url: str, origin: str, authority: str, path: str) -> None:
    target = parse_url(url)
    assert (target.origin, target.authority, target.path) == (origin, authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://x/",
        "http://",
        "http:///path",
        "http://user@example.com",
        "http://user:pw@example.com",
        "http://@example.com",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:x/",
        "http://exa mple.com/",
        "http://example.com/a b",
        " http://example.com",
        "http://example.com\r\nx: y/",
        "http://example.com/\r\nx: y",
        "http://example.com/\x00",
        "http://example.com\\@evil.com/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[::1]x/",
        "http://exa%6dple.com/",
        "http://-a.example/",
        "http://a..example/",
        "http://" + "a" * 64,
        "http://" + "a." * 130 + "com",
        "http://example.com\t/",
        "http://exa<mple.com",
    ],
)
def test_bad_urls_are_refused(url: str) -> None:
    with pytest.raises(HttpError) as caught:
        parse_url(url)
    assert caught.value.kind == "bad_url"


def test_an_error_never_repeats_the_url() -> None:
    with pytest.raises(HttpError) as caught:
        parse_url("http://user:hunter2@example.com/?token=hunter2")
    assert "hunter2" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "multicast"),
        ("239.1.1.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("0.1.2.3", "private"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("192.0.2.1", "private"),
        ("198.18.0.1", "private"),
        ("192.0.0.8", "reserved"),
        ("192.88.99.1", "reserved"),
        ("::ffff:127.0.0.1", "an IPv4 address inside IPv6"),
        ("::ffff:8.8.8.8", "an IPv4 address inside IPv6"),
        ("2002:7f00:1::", "an IPv4 address inside IPv6"),
        ("2001:0:1::1", "an IPv4 address inside IPv6"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::a00:1", "private"),
        ("64:ff9b:1::1", "reserved"),
        ("::7f00:1", "reserved"),
        ("fec0::1", "reserved"),
        ("2001:db8::1", "private"),
        ("4000::1", "reserved"),
        ("nonsense", "unreadable"),
        ("8.8.8.8", ""),
        ("100.63.255.255", ""),
        ("172.32.0.1", ""),
        ("2606:4700::1111", ""),
        ("64:ff9b::808:808", ""),
    ],
)
def test_refusal(address: str, word: str) -> None:
    assert refusal(address) == word
