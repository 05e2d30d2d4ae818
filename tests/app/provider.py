"""A small identity provider over real HTTP: discovery, authorization, tokens by code with PKCE, keys."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

SECRET = "the client's secret"
AUDIENCES: dict[str, Any] = {
    "audience": "somebody-else", "another client's": "quintet", "for several": ["quintet", "somebody-else"],
}  # fmt: skip


class Provider:
    """The provider; `wrong` names what it does wrong, `who` whom it vouches for, `sub` as whom it knows him."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "one"})
        self.wrong, self.who, self.sub = "", "seo", ""
        self.odd: dict[str, Any] = {}
        """What is answered instead, at which of its addresses."""
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                if url.path == "/authorize":
                    provider.codes["a-code"] = query
                    where = f"{query['redirect_uri']}?{urlencode({'code': 'a-code', 'state': query['state']})}"
                    self.send_response(303)
                    self.send_header("Location", where)
                    self.end_headers()
                    return
                known = "well-known" in url.path
                self.say(
                    provider.odd.get("published" if known else "keys")
                    or (provider.published() if known else provider.keys())
                )

            def do_POST(self) -> None:
                sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.say(provider.token({name: values[0] for name, values in sent.items()}, self.headers))

            def say(self, content: Any) -> None:
                body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(400 if "error" in content else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                del format, args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(30)
        self.server.server_close()

    def published(self) -> dict[str, Any]:
        ends = {f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in
                (("authorization", "authorize"), ("token", "token"))}  # fmt: skip
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **ends}

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, sent: dict[str, str], headers: Any) -> Any:
        asked = self.codes.pop(sent["code"], None)
        basic = base64.b64encode(f"quintet:{quote_plus(SECRET)}".encode()).decode()
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or headers["Authorization"] != f"Basic {basic}" or asked["code_challenge"] != challenge:
            return {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": "https://other.example" if self.wrong == "issuer" else self.issuer,
            "aud": AUDIENCES.get(self.wrong, "quintet"),
            "exp": now - 3600 if self.wrong == "expired" else now + 300,
            "nonce": "another" if self.wrong == "nonce" else asked["nonce"],
            "iat": now, "sub": self.sub or self.who, "preferred_username": self.who,
        }  # fmt: skip
        claims |= {"azp": "somebody-else"} if self.wrong == "another client's" else {}
        claims |= self.odd.get("claims", {})
        key = self.stranger if self.wrong == "key" else self.key
        signed = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)
        if self.wrong in ("public key as a secret", "no signature"):
            signed = self.forged(claims)
        if "token" in self.odd:
            return self.odd["token"]
        return {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed}

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": "two"})

    def forged(self, claims: dict[str, Any]) -> str:
        """Give a token that nobody signed, or that was signed with what everybody knows."""

        def part(said: bytes) -> str:
            return base64.urlsafe_b64encode(said).decode().rstrip("=")

        plain = self.wrong == "no signature"
        head = part(json.dumps({"alg": "none" if plain else "HS256", "kid": self.key.kid}).encode())
        body = f"{head}.{part(json.dumps(claims).encode())}"
        public = self.key.as_pem(private=False)
        return f"{body}." + ("" if plain else part(hmac.new(public, body.encode(), hashlib.sha256).digest()))
