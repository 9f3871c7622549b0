"""Client: reads the admin port of the one gateway that was named at the start, and says what went wrong there.

It follows no redirect, asks no proxy, and sends the token to nobody else.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from breakeven.errors import DashboardError

TIMEOUT_S: Final = 3.0
BODY_MAX_BYTES: Final = 32 * 2**20
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
TOKEN_VARIABLE: Final = "BREAKEVEN_ADMIN_TOKEN"  # noqa: S105 the name of a variable


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a gateway could not be read."""

    kind: str
    """`refused`, `silent`, `unknown_name`, `tls`, `not_tls`, `tls_wanted`, `not_a_gateway`, `no_token`, `wrong_token`,
    `admin_disabled` or `broken`."""
    seen: str
    """What happened, in one sentence."""
    todo: tuple[str, ...] = ()
    """What to do about it."""


class Unreached(Exception):
    """There was no answer that can be used."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.seen)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status_count: int
    body: bytes

    def document(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def checked_address(url: str) -> SplitResult:
    """The address of an admin port; DashboardError for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise DashboardError(
            f"--gateway {shown_address(url)!r} is no address of a gateway; wanted the address of its admin port, such "
            "as http://127.0.0.1:4001"
        )
    if parts.username is not None or parts.password is not None:
        raise DashboardError(
            "--gateway holds a name or a password; wanted the address of its admin port alone, and the admin token in "
            f"{TOKEN_VARIABLE}"
        )
    return parts._replace(netloc=parts.netloc if port else parts.netloc.rstrip(":"))


def shown_address(url: str) -> str:
    """An address as it may be shown: without who asks there."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no address)"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


class GatewayClient:
    """One gateway's admin port."""

    def __init__(self, url: str, token: str | None, timeout_s: float = TIMEOUT_S) -> None:
        self._parts = checked_address(url)
        self._token = token
        self._timeout_s = timeout_s
        self.address = shown_address(url)

    @property
    def has_token(self) -> bool:
        """Whether it may ask for more than health and metrics."""
        return bool(self._token)

    @property
    def tells_everybody(self) -> bool:
        """Whether the token travels where others may read it."""
        return self.has_token and self._parts.scheme == "http" and self._parts.hostname not in LOOPBACK_NAMES

    def get(self, path: str, *, with_token: bool = False) -> Answer:
        """One page; Unreached where there is no answer."""
        connection = self._connection()
        headers = {"accept": "*/*"}
        if with_token and self._token:
            headers["authorization"] = f"Bearer {self._token}"
        try:
            connection.request("GET", self._parts.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(BODY_MAX_BYTES + 1)
        except Exception as error:
            trouble = self._trouble(error)
            if trouble is None:
                raise
            raise Unreached(trouble) from None
        finally:
            connection.close()
        if len(body) > BODY_MAX_BYTES:
            raise Unreached(Trouble("broken", f"{self.address}{path} sent more than {BODY_MAX_BYTES // 2**20} MiB."))
        return Answer(answer.status, body)

    def _connection(self) -> http.client.HTTPConnection:
        host = str(self._parts.hostname)
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self._parts.port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, self._parts.port, timeout=self._timeout_s)

    def _trouble(self, error: Exception) -> Trouble | None:
        """What an error of the connection means; None: it is none."""
        where = self.address
        if isinstance(error, ssl.SSLCertVerificationError):
            return Trouble(
                "tls",
                f"TLS was refused: the certificate of {where} is not trusted ({error.verify_message}).",
                (
                    "Start the dashboard with SSL_CERT_FILE=FILE, the certificate of the authority that signed it.",
                    "Use the host name that the certificate names.",
                ),
            )
        if isinstance(error, ssl.SSLError):
            return Trouble(
                "not_tls",
                f"TLS was refused: {where} does not speak TLS as expected ({error.reason or 'no reason given'}).",
                ("Use http:// unless gateway.yaml has `admin_tls:`.",),
            )
        if isinstance(error, socket.gaierror):
            return Trouble(
                "unknown_name", f"Nobody knows the host {self._parts.hostname}.", ("Correct --gateway URL.",)
            )
        if isinstance(error, ConnectionRefusedError):
            return Trouble("refused", f"Nothing listens at {where} (connection refused).", _START)
        if isinstance(error, TimeoutError):
            return Trouble(
                "silent",
                f"{where} did not answer within {self._timeout_s:g} s.",
                ("Look whether the gateway's control process lives, and whether a firewall is between.",),
            )
        if isinstance(error, http.client.RemoteDisconnected | http.client.BadStatusLine | ConnectionResetError):
            return Trouble(
                "tls_wanted",
                f"{where} ended the connection without an answer in HTTP.",
                ("Use https:// if gateway.yaml has `admin_tls:`; look whether it is the port under `admin:`.",),
            )
        if isinstance(error, OSError):
            return Trouble("refused", f"{where} cannot be reached ({error.strerror or type(error).__name__}).", _START)
        if isinstance(error, http.client.HTTPException):
            return Trouble("broken", f"{where} sent an answer that is no HTTP ({type(error).__name__}).")
        return None


_START: Final = (
    "Start the gateway: breakeven serve --config gateway.yaml",
    "If it runs, compare the port with `admin:` in gateway.yaml, and start the dashboard with --gateway URL.",
)
