"""Mail, web push and webhooks, each against a real receiver."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePublicKey, derive_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from quintet.access.telling import Notice, Target, Vapid, base64url, from_base64url
from quintet.alerts.channel import Parcel
from quintet.alerts.mail import Mail, MailSettings, checked_address
from quintet.alerts.outbound import Outbound, Unreached
from quintet.alerts.telling_limits import telling_limits
from quintet.alerts.web_push import Sending, WebPush, check_subscription, payload, sealed
from quintet.alerts.webhook import Webhook, new_secret
from quintet.store.vault import Vault
from quintet.terms.errors import BadInput

from .receivers import PASSWORD, USER, Listener, certificate, listener, mail_server

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
NOW_US = 1_772_500_000_000_000
TARGET = Target("mail", "mina@naju.example", NOW_US, NOW_US)


def parcel(*texts: str, **more: object) -> Parcel:
    notices = tuple(
        Notice("t", f"a{number}", "c1/101/1", "water_leak", "water", f"title {number}", text, "Check the toilet.",
               "/home/alerts", NOW_US, NOW_US, NOW_US, urgent=True)
        for number, text in enumerate(texts or ("Water has not stopped.",))
    )  # fmt: skip
    made = Parcel("0f" * 16, notices, "en", notices[0].title, NOW_US, "Naju", "https://n.example/home/alerts", "")
    return replace(made, **more)


def settings(port: int, **more: object) -> MailSettings:
    return replace(MailSettings("127.0.0.1", port, "none", "quintet@naju.example"), **more)


@pytest.fixture
def web() -> Iterator[Listener]:
    with listener() as out:
        yield out


def test_mail_arrives_whole_and_says_how_to_end_it() -> None:
    with mail_server() as box:
        stop = "https://n.example/telling#stop=x.y"
        outcome = Mail(settings(box.port)).send(TARGET, parcel(title="물이 멈추지 않습니다", language="ko", stop=stop))
    assert outcome.end == "sent"
    (mail,) = box.mails
    assert (mail["to"], mail["from"]) == ("mina@naju.example", "quintet@naju.example")
    assert mail["subject"] == "물이 멈추지 않습니다"
    assert mail["message-id"] == f"<{'0f' * 16}@naju.example>"
    assert (mail["auto-submitted"], mail["list-unsubscribe"]) == ("auto-generated", f"<{stop}>")
    text = mail.get_content()
    assert mail.get_content_type() == "text/plain"
    for part in ("Water has not stopped.", "Check the toilet.", "https://n.example/home/alerts", stop, "Naju"):
        assert part in text


def test_mail_goes_over_tls_with_a_password_and_never_without_either(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    trust = ssl.create_default_context(cafile=files[0])
    with mail_server(files) as box:
        whole = settings(box.port, tls="starttls", username=USER, password=PASSWORD, context=trust)
        assert PASSWORD not in repr(whole)
        assert Mail(whole).send(TARGET, parcel()).end == "sent"
        for wrong, reason in (
            (replace(whole, password="another"), "mail_server"),
            (replace(whole, tls="none"), "mail_server"),
            (replace(whole, context=None), "unreachable"),  # nobody vouches for this server
        ):
            assert (Mail(wrong).send(TARGET, parcel()).end, Mail(wrong).send(TARGET, parcel()).reason) == (
                "later", reason,
            )  # fmt: skip
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("answer", "where", "end"),
    [("550 no such user", "mina", "refused"), ("451 greylisted", "mina", "later"), ("554 spam", "data", "refused")],
)
def test_what_a_mail_server_refuses_for_good_is_not_tried_again(answer: str, where: str, end: str) -> None:
    with mail_server() as box:
        box.answers[where] = answer
        assert Mail(settings(box.port)).send(TARGET, parcel()).end == end


def test_a_mail_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert Mail(settings(free.getsockname()[1])).send(TARGET, parcel()).reason == "unreachable"


def test_a_title_cannot_smuggle_a_header() -> None:
    with mail_server() as box:
        Mail(settings(box.port)).send(TARGET, parcel(title="leak\r\nBcc: all@naju.example"))
    assert box.mails[0]["bcc"] is None


@pytest.mark.parametrize(
    "text", ["", "a", "a@b", "a b@c.d", "a@c..d", "a\n@c.d", "a@c.d,e@f.g", "<a@c.d>", "가@c.d", ".a@c.d"]
)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        checked_address(text)


def test_the_example_of_the_standard_is_encrypted_to_the_bit() -> None:
    """RFC 8291, section 5 and appendix A."""
    key = derive_private_key(
        int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    body = sealed(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        Sending(key, from_base64url("DGv6ra1nlYgDCS1FRnbzlw")),
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


class Browser:
    """A browser that subscribed: it alone can open what comes."""

    def __init__(self, endpoint: str, vapid: Vapid) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.secret = b"s" * 16
        self.target = Target(
            "push", endpoint, NOW_US, NOW_US, p256dh=base64url(self.point), auth=base64url(self.secret),
            made_for=vapid.public,
        )  # fmt: skip

    def opened(self, body: bytes) -> dict[str, str]:
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs = body[21 : 21 + length]
        assert len(body) <= size
        shared = self.key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        keying = HKDF(hashes.SHA256(), 32, self.secret, b"WebPush: info\0" + self.point + theirs).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(keying)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(keying)
        plain = AESGCM(key).decrypt(nonce, body[21 + length :], None)
        assert plain.endswith(b"\x02")
        return json.loads(plain[:-1])


def pushing(tmp_path: Path, url: str) -> tuple[WebPush, Browser, Vapid]:
    vapid = Vapid(Vault(tmp_path))
    out = WebPush(Outbound(HERE, 20.0), vapid, lambda: "mailto:energy@naju.example", lambda: NOW_US // 1_000_000)
    return out, Browser(f"{url}/push/abc", vapid), vapid


def test_a_push_is_read_by_the_browser_alone_and_proves_its_city(tmp_path: Path, web: Listener) -> None:
    push, browser, vapid = pushing(tmp_path, web.url)
    assert push.send(browser.target, parcel("Water has not stopped for 72 hours.")).end == "sent"
    ((path, headers, body),) = web.came
    assert path == "/push/abc"
    assert b"Water" not in body
    said = browser.opened(body)
    assert (said["title"], said["url"]) == ("title 0", "/home/alerts")
    assert said["body"] == "Water has not stopped for 72 hours.\nCheck the toilet."
    assert (headers["content-encoding"], headers["urgency"], headers["topic"]) == ("aes128gcm", "high", said["tag"])
    assert int(headers["ttl"]) == telling_limits().push_ttl_s
    token, key = headers["authorization"].removeprefix("vapid t=").split(", k=")
    assert key == vapid.public
    point = EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(key))
    claims = jwt.decode(token, ECKey.import_key(point.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)))
    assert claims.claims == {
        "aud": web.url, "exp": NOW_US // 1_000_000 + 12 * 3600, "sub": "mailto:energy@naju.example",
    }  # fmt: skip


def test_a_long_digest_still_fits_in_one_push(tmp_path: Path, web: Listener) -> None:
    push, browser, _ = pushing(tmp_path, web.url)
    assert push.send(browser.target, parcel(*["물이 멈추지 않습니다. " * 40] * 9)).end == "sent"
    assert len(web.came[0][2]) <= 4096
    assert browser.opened(web.came[0][2])["body"].endswith("…")
    assert len(payload(parcel("short"))) < 300


@pytest.mark.parametrize(
    ("status", "end"),
    [(410, "gone"), (404, "gone"), (403, "refused"), (413, "refused"), (429, "later"), (503, "later"), (302, "later")],
)
def test_what_a_push_service_answers_decides_what_follows(tmp_path: Path, web: Listener, status: int, end: str) -> None:
    push, browser, _ = pushing(tmp_path, web.url)
    web.status, web.more = status, {"Retry-After": "120", "Location": "http://127.0.0.1:1/"}
    outcome = push.send(browser.target, parcel())
    assert outcome.end == end
    assert outcome.after_s == (120 if status in (429, 503, 302, 403, 413) else 0)
    assert len(web.came) == 1  # no redirect is followed


def test_the_citys_key_is_made_once_and_one_that_was_lost_ends_its_subscriptions(tmp_path: Path, web: Listener) -> None:
    push, browser, vapid = pushing(tmp_path, web.url)
    file = tmp_path / "people" / "vapid.pem"
    assert Vapid(Vault(tmp_path)).public == vapid.public
    assert file.stat().st_mode & 0o077 == 0
    file.unlink()
    push, _, other = pushing(tmp_path, web.url)
    assert other.public != vapid.public
    assert push.send(browser.target, parcel()).end == "gone"
    assert web.came == []


@pytest.mark.parametrize(
    ("p256dh", "auth"), [("", ""), ("BAAA", "c3Nzc3Nzc3Nzc3Nzc3Nzcw"), ("x" * 87, "short"), ("é", "é")]
)
def test_keys_that_are_none_are_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(BadInput):
        check_subscription(p256dh, auth)


def test_a_webhook_is_signed_with_its_time(web: Listener) -> None:
    target = Target("webhook", f"{web.url}/hook?x=1", NOW_US, NOW_US, secret=new_secret())
    now = [NOW_US // 1_000_000 + 9 * 3600]  # it waited for the end of quiet hours
    hook = Webhook(Outbound(HERE, 20.0), lambda: now[0])
    assert hook.send(target, parcel("one", "two")).end == "sent"
    now[0] += 4 * 3600
    assert hook.send(target, parcel("one", "two")).end == "sent"
    (path, headers, body), again = web.came
    assert (path, body, headers["webhook-id"]) == (again[0], again[2], again[1]["webhook-id"])  # the same message
    secret = base64.b64decode(target.secret.removeprefix("whsec_"))
    for told, at_s in ((headers, now[0] - 4 * 3600), (again[1], now[0])):
        assert told["webhook-timestamp"] == str(at_s)  # receivers refuse what is older than some minutes
        signed = f"{told['webhook-id']}.{at_s}.".encode() + body
        proof = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        assert told["webhook-signature"] == f"v1,{proof}"
    assert path == "/hook?x=1"
    said = json.loads(body)
    assert [one["title"] for one in said["alerts"]] == ["title 0", "title 1"]
    assert (said["type"], said["id"], said["alerts"][0]["kind"]) == ("alerts", "0f" * 16, "water_leak")


@pytest.mark.parametrize(
    ("status", "end"), [(204, "sent"), (410, "gone"), (500, "later"), (401, "later"), (307, "later")]
)
def test_what_a_webhook_answers_decides_what_follows(web: Listener, status: int, end: str) -> None:
    web.status = status
    target = Target("webhook", web.url, NOW_US, NOW_US, secret=new_secret())
    assert Webhook(Outbound(HERE, 20.0), lambda: NOW_US // 1_000_000).send(target, parcel()).end == end


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.7/", "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0.0.0.0/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/", "https://[fd00::1]/",
        "https://100.64.0.1/", "https://224.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://127.1/",
        "https://[::127.0.0.1]/", "https://[::169.254.169.254]/", "https://[::ffff:0:127.0.0.1]/", "https://[fec0::1]/",
        "https://[64:ff9b:1::7f00:1]/", "https://192.0.0.8/", "https://192.88.99.1/", "https://[2001:0:7f00:1::1]/",
        "https://[3fff::1]/", "https://[5f00::1]/", "https://255.255.255.255/", "https://198.18.0.1/",
    ],
)  # fmt: skip
def test_an_address_inside_the_operators_network_is_never_called(url: str) -> None:
    with pytest.raises((BadInput, Unreached)) as refused:
        Outbound((), 5.0).post(url, b"", {})
    assert refused.value.code in ("forbidden_url", "bad_url") or "[" not in url  # refused before it is called


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost.", "x.localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001",
     "127.0.0.1.", "10.1", "0xa9fea9fe", "0"],
)  # fmt: skip
def test_a_name_or_number_that_means_this_network_is_refused_when_it_is_given(host: str) -> None:
    for url in (f"https://{host}/", f"https://{host}:8443/x", f"http://{host}/"):
        with pytest.raises(BadInput) as refused:
            Outbound((), 5.0).check(url)
        assert refused.value.code == "forbidden_url"
    Outbound((), 5.0).check("https://localhost.naju.example/")
    Outbound((), 5.0).check("https://1.0x7f.naju.example/")


def test_what_the_operator_allows_and_the_internet_may_be_called() -> None:
    for net, url in (("::1/128", "https://[::1]/"), ("64:ff9b:1::/48", "https://[64:ff9b:1::7f00:1]/")):
        Outbound((ipaddress.ip_network(net),), 5.0).check(url)
    for url in (
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://[64:ff9b::808:808]/",
        "https://[2002:808:808::]/",
    ):
        Outbound((), 5.0).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.b/",
        "http://naju.example/",
        "https://u:p@naju.example/",
        "https:///x",
        "https://a b/",
        "https://a/#f",
        "https://a:0/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://134744072/",
        "https://0x08.8.8.8/",
    ],
)
def test_what_is_no_address_to_call_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadInput):
        Outbound(HERE, 5.0).check(url)


def test_the_host_name_goes_with_the_call_but_the_checked_address_is_called(web: Listener) -> None:
    url = web.url.replace("127.0.0.1", "localhost")
    assert Outbound((*HERE, ipaddress.ip_network("::1/128")), 20.0).post(f"{url}/x", b"{}", {}).status == 201
    assert web.came[0][1]["host"] == url.removeprefix("http://")


def test_who_listens_and_says_nothing_is_left_in_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(Unreached):
            Outbound(HERE, 0.3).post(f"http://127.0.0.1:{mute.getsockname()[1]}/", b"", {})
