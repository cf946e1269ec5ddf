"""Whom the shop calls, each asked for real: a mail server, and a stand-in of Stripe's, both on
this machine."""

from __future__ import annotations

import io
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.webapp.world import settings_for
from webapp.providers import (
    Charged,
    ConsoleMail,
    Declined,
    EventKind,
    EventRefused,
    FakePayments,
    Letter,
    MailRefused,
    ProviderTimeout,
    SmtpMail,
    providers,
)
from webapp.providers.stripe_payments import StripePayments

AMOUNT = Decimal("12.34")
LETTER = Letter("outbox-7", "ana@example.com", "Tu pedido – ¡gracias!", "Adiós, niña.\n")


# --- payments that move no money ------------------------------------------------------------


def told(books: FakePayments) -> list[tuple[str, EventKind]]:
    """Its news, as it sends them."""
    found = []

    def post(headers: Any, body: bytes) -> bool:
        event = books.event(headers, body)
        found.append((event.order_id, event.kind))
        return True

    books.tell(post)
    return found


def test_a_key_is_charged_once_by_whichever_process_asks(tmp_path: Path) -> None:
    one, other = (FakePayments("works", "secret", tmp_path / "books.db") for _ in range(2))
    first = one.charge("key", AMOUNT, "EUR", order_id="order")
    assert isinstance(first, Charged)
    assert other.charge("key", AMOUNT, "EUR", order_id="order") == first
    assert [e.state for e in other.entries("order")] == ["charged"]
    assert told(one) == [("order", EventKind.CAPTURED)]
    assert told(other) == []


def test_what_was_declined_under_a_key_stays_so() -> None:
    books = FakePayments("declines", "secret")
    assert books.charge("key", AMOUNT, "EUR", order_id="o") == Declined("card_declined")
    books.behaviour = "works"
    assert books.charge("key", AMOUNT, "EUR", order_id="o") == Declined("card_declined")
    assert isinstance(books.charge("key-2", AMOUNT, "EUR", order_id="o"), Charged)


def test_what_was_charged_under_a_key_stays_so() -> None:
    books = FakePayments("works", "secret")
    charged = books.charge("key", AMOUNT, "EUR", order_id="o")
    books.behaviour = "declines"
    assert books.charge("key", AMOUNT, "EUR", order_id="o") == charged


def test_one_that_times_out_charges_nothing() -> None:
    books = FakePayments("times_out", "secret")
    for _ in range(2):
        with pytest.raises(ProviderTimeout):
            books.charge("key", AMOUNT, "EUR", order_id="o")
    assert [e.state for e in books.entries("o")] == ["asked"]
    assert told(books) == []


def test_one_that_charges_then_times_out_answers_the_second_time() -> None:
    books = FakePayments("charges_then_times_out", "secret")
    with pytest.raises(ProviderTimeout):
        books.charge("key", AMOUNT, "EUR", order_id="o")
    assert [e.state for e in books.entries("o")] == ["charged"]
    answer = books.charge("key", AMOUNT, "EUR", order_id="o")
    assert isinstance(answer, Charged)
    with pytest.raises(ProviderTimeout):
        books.refund("key", answer.reference, AMOUNT, "EUR")
    books.refund("key", answer.reference, AMOUNT, "EUR")
    assert told(books) == [("o", EventKind.CAPTURED), ("o", EventKind.REFUNDED)]


def test_every_third_key_can_fare_otherwise() -> None:
    books = FakePayments("every:3:declines", "secret")
    answers = [books.charge(f"key-{n}", AMOUNT, "EUR", order_id="o") for n in range(6)]
    kinds = [type(answer) for answer in answers]
    assert kinds == [Charged, Charged, Declined, Charged, Charged, Declined]
    again = [books.charge(f"key-{n}", AMOUNT, "EUR", order_id="o") for n in range(6)]
    assert again == answers


def test_news_that_are_not_taken_are_sent_again_and_each_twice_if_told_to() -> None:
    books = FakePayments("duplicates", "secret")
    books.charge("key", AMOUNT, "EUR", order_id="o")
    assert books.tell(lambda _headers, _body: False) == 0
    assert told(books) == [("o", EventKind.CAPTURED)] * 2
    assert told(books) == []


@pytest.mark.parametrize("signature", ["", "0" * 64, "ñ"])
def test_news_without_the_right_signature_are_refused(signature: str) -> None:
    with pytest.raises(EventRefused):
        FakePayments("works", "secret").event({"X-Fake-Signature": signature}, b"{}")


@pytest.mark.parametrize("behaviour", ["", "sometimes", "every:0:works", "every:2:every:2:works"])
def test_an_unknown_behaviour_is_refused(behaviour: str) -> None:
    with pytest.raises(ValueError, match="fake_payments"):
        settings_for("sqlite:///shop.db", fake_payments=behaviour)


def test_the_settings_choose_whom_to_call(tmp_path: Path) -> None:
    chosen = providers(settings_for("sqlite:///shop.db", fake_payments_file=tmp_path / "b.db"))
    assert isinstance(chosen.payments, FakePayments)
    assert isinstance(chosen.mail, ConsoleMail)
    chosen.payments.charge("key", AMOUNT, "EUR", order_id="o")
    assert (tmp_path / "b.db").exists()
    real = settings_for(
        "sqlite:///shop.db",
        payments="stripe",
        stripe_key="sk_test_x",
        stripe_webhook_secret="whsec_x",
        mail="smtp",
        smtp_host="mail.example",
        smtp_user="shop",
        smtp_password="canary",
    )
    chosen = providers(real)
    assert isinstance(chosen.payments, StripePayments)
    assert isinstance(chosen.mail, SmtpMail)
    assert (chosen.mail.port, chosen.mail.password) == (587, "canary")
    assert "canary" not in repr(chosen)


# --- mail -----------------------------------------------------------------------------------


@dataclass
class Inbox:
    """What a mail server was handed."""

    letters: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append((envelope.rcpt_tos, envelope.content))
        return "250 taken"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox nobody@example.com"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def mail_server(
    inbox: Inbox, *, tls: Path | None = None, starts: bool = False, **words: Any
) -> Iterator[int]:
    context = None
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
    given = {"tls_context": context} if starts else {"ssl_context": context}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port, **given, **words)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def smtp(port: int, security: str, **words: Any) -> SmtpMail:
    return SmtpMail(
        host="localhost", port=port, sender="Plaza <shop@example.com>", security=security, **words
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(["openssl", *words.split(), *names, *files], check=True, capture_output=True)
    return folder


def test_a_letter_arrives_as_it_was_written() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        smtp(port, "none").send(LETTER)
    ((to, content),) = inbox.letters
    message = message_from_bytes(content, policy=policy.default)
    assert to == [LETTER.to]
    assert message["Subject"] == LETTER.subject
    assert message["From"] == "Plaza <shop@example.com>"
    assert message["Message-ID"] == "<outbox-7@example.com>"
    assert message["Date"]
    assert message.get_content().replace("\r\n", "\n") == LETTER.body


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_letter_goes_over_tls_to_whom_we_trust(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    inbox, starts = Inbox(), security == "starttls"
    with mail_server(inbox, tls=certificate, starts=starts, require_starttls=starts) as port:
        with pytest.raises(MailRefused, match="SSLCertVerificationError"):
            smtp(port, security).send(LETTER)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        smtp(port, security).send(LETTER)
    assert [to for to, _ in inbox.letters] == [[LETTER.to]]


def test_a_letter_does_not_go_where_tls_cannot_begin() -> None:
    inbox = Inbox()
    with (
        mail_server(inbox) as port,
        pytest.raises(MailRefused, match="SMTPNotSupportedError"),
    ):
        smtp(port, "starttls").send(LETTER)
    assert inbox.letters == []


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_the_server_is_told_who_we_are(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    def known(_server: Any, _session: Any, _envelope: Any, _how: str, who: LoginPassword) -> Any:
        is_right = (who.login, who.password) == (b"shop", b"right")
        return AuthResult(success=is_right, handled=False)

    inbox = Inbox()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    words: Any = {"authenticator": known, "auth_required": True}
    with mail_server(inbox, tls=certificate, starts=True, **words) as port:
        server = smtp(port, "starttls", user="shop", password=password)
        if password == "right":
            server.send(LETTER)
        else:
            with pytest.raises(MailRefused, match=r"^SMTPAuthenticationError 535$"):
                server.send(LETTER)
    assert len(inbox.letters) == (password == "right")


def test_a_refusal_says_nothing_of_the_letter() -> None:
    with mail_server(Inbox()) as port, pytest.raises(MailRefused) as refused:
        smtp(port, "none").send(Letter("1", "nobody@example.com", "Secret", "Secret"))
    assert str(refused.value) == "SMTPRecipientsRefused"
    with pytest.raises(MailRefused, match="ConnectionRefusedError"):
        smtp(9, "none").send(LETTER)


def test_an_address_of_two_lines_is_refused() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port, pytest.raises(MailRefused, match="ValueError"):
        smtp(port, "none").send(Letter("1", "a@example.com\r\nBcc: b@example.com", "x", "x"))
    assert inbox.letters == []


def test_in_development_letters_are_printed() -> None:
    out = io.StringIO()
    ConsoleMail(out).send(LETTER)
    assert LETTER.to in out.getvalue()
    assert LETTER.body in out.getvalue()


# --- Stripe ---------------------------------------------------------------------------------


@dataclass
class Stub:
    """Answers as Stripe does, and keeps what it was asked: (path, key, form)."""

    address: str = ""
    answer: tuple[int, dict[str, Any]] = (200, {})
    delay: float = 0
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            made.asked.append((self.path, self.headers["Idempotency-Key"], form))
            time.sleep(made.delay)
            status, answer = made.answer
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def shop_of(stub: Stub, timeout: float = 5) -> StripePayments:
    return StripePayments("sk_test_x", "whsec_x", timeout=timeout, base=stub.address)


def intent(status: str) -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status}


def error(kind: str, code: str) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": "no"}}


def test_stripe_is_asked_in_cents_under_our_key(stub: Stub) -> None:
    stub.answer = 200, intent("succeeded")
    charged = shop_of(stub).charge("key-1", Decimal("1234567.89"), "EUR", order_id="order-1")
    assert charged == Charged("pi_1")
    ((path, key, form),) = stub.asked
    assert (path, key) == ("/v1/payment_intents", "key-1")
    assert (form["amount"], form["currency"], form["confirm"]) == ("123456789", "eur", "true")
    assert (form["metadata[order_id]"], form["metadata[key]"]) == ("order-1", "key-1")


@pytest.mark.parametrize(
    ("answer", "declined"),
    [
        ((402, error("card_error", "card_declined")), "card_declined"),
        ((402, error("card_error", "insufficient_funds")), "insufficient_funds"),
        ((200, intent("requires_action")), "requires_action"),
    ],
)
def test_what_the_bank_refuses_is_declined(
    stub: Stub, answer: tuple[int, dict[str, Any]], declined: str
) -> None:
    stub.answer = answer
    assert shop_of(stub).charge("k", AMOUNT, "EUR", order_id="o") == Declined(declined)


@pytest.mark.parametrize(
    "answer",
    [
        (200, intent("processing")),
        (500, error("api_error", "down")),
        (429, error("invalid_request_error", "rate_limit")),
        (401, error("invalid_request_error", "api_key_expired")),
        (400, error("idempotency_error", "other")),
    ],
)
def test_what_says_nothing_of_the_money_is_asked_again(
    stub: Stub, answer: tuple[int, dict[str, Any]]
) -> None:
    stub.answer = answer
    with pytest.raises(ProviderTimeout):
        shop_of(stub).charge("k", AMOUNT, "EUR", order_id="o")
    assert len(stub.asked) == 1, "the outbox tries again, not the library"


def test_a_slow_answer_is_none(stub: Stub) -> None:
    stub.answer, stub.delay = (200, intent("succeeded")), 1
    with pytest.raises(ProviderTimeout):
        shop_of(stub, timeout=0.2).charge("k", AMOUNT, "EUR", order_id="o")


def test_a_refund_has_a_key_of_its_own_and_may_have_been_made(stub: Stub) -> None:
    stub.answer = 200, {"id": "re_1", "object": "refund", "status": "succeeded"}
    shop_of(stub).refund("key-1", "pi_1", AMOUNT, "EUR")
    stub.answer = 400, error("invalid_request_error", "charge_already_refunded")
    shop_of(stub).refund("key-1", "pi_1", AMOUNT, "EUR")
    stub.answer = 500, error("api_error", "down")
    with pytest.raises(ProviderTimeout):
        shop_of(stub).refund("key-1", "pi_1", AMOUNT, "EUR")
    path, key, form = stub.asked[0]
    assert (path, key) == ("/v1/refunds", "refund-key-1")
    assert (form["payment_intent"], form["amount"]) == ("pi_1", "1234")


def signed(event: dict[str, Any], secret: str = "whsec_x") -> tuple[dict[str, str], bytes]:
    """As Stripe sends it."""
    body, when = json.dumps(event), int(time.time())
    signature = stripe.WebhookSignature._compute_signature(f"{when}.{body}", secret)
    return {"Stripe-Signature": f"t={when},v1={signature}"}, body.encode()


def an_event(kind: str, **thing: Any) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("payment_intent.succeeded", EventKind.CAPTURED),
        ("payment_intent.payment_failed", EventKind.FAILED),
        ("customer.created", EventKind.OTHER),
    ],
)
def test_stripes_events_are_read(stub: Stub, kind: str, means: EventKind) -> None:
    told = {"order_id": "order-1", "key": "key-1"}
    sent = an_event(kind, id="pi_1", object="payment_intent", metadata=told)
    event = shop_of(stub).event(*signed(sent))
    assert (event.id, event.kind, event.reference) == ("evt_1", means, "pi_1")
    assert (event.order_id, event.key) == ("order-1", "key-1")


def test_a_refund_that_stripe_tells_names_the_payment(stub: Stub) -> None:
    sent = an_event("charge.refunded", id="ch_1", object="charge", payment_intent="pi_1")
    event = shop_of(stub).event(*signed(sent))
    assert (event.kind, event.reference, event.order_id) == (EventKind.REFUNDED, "pi_1", "")


def test_events_that_stripe_did_not_sign_are_refused(stub: Stub) -> None:
    sent = an_event("payment_intent.succeeded", id="pi_1", object="payment_intent")
    for headers, body in (
        signed(sent, "whsec_other"),
        ({}, json.dumps(sent).encode()),
        (signed(sent)[0], b"{}"),
        ({"Stripe-Signature": "nonsense"}, b"not json"),
    ):
        with pytest.raises(EventRefused):
            shop_of(stub).event(headers, body)
