"""Money moves once, whatever is lost on the way, and goes back where there is no order for it."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.webapp.orders.buying import (
    Letters,
    as_buyer,
    charge,
    drain,
    fake,
    messages,
    place,
    providers,
    states,
    stock,
    viewer,
)
from tests.webapp.world import World
from webapp.models import OrderState, OutboxKind, OutboxMessage, PaymentEvent, PaymentState, User
from webapp.providers import Event, EventKind
from webapp.services import orders, payments
from webapp.services.errors import Conflict, NotFound

PLACED, PAID, SHIPPED = OrderState.PLACED, OrderState.PAID, OrderState.SHIPPED
CANCELLED, REFUNDED = OrderState.CANCELLED, OrderState.REFUNDED
PENDING, CAPTURED, FAILED = PaymentState.PENDING, PaymentState.CAPTURED, PaymentState.FAILED
HOUR = timedelta(hours=1)


@pytest.fixture
def sale(world: World) -> tuple[User, User, uuid.UUID]:
    """A buyer, a seller, and an order of two of ten lamps, its money not asked for yet."""
    buyer, seller = world.user(), world.user()
    return buyer, seller, place(world, buyer, (world.product(seller, stock=10).id, 2))


def charged(world: World, order_id: uuid.UUID) -> list[str]:
    """What the provider's books say of each key."""
    return [entry.state for entry in fake(world).entries(str(order_id))]


def news(world: World, order_id: uuid.UUID, kind: EventKind, key: str, id_: str = "") -> bool:
    event = Event(id_ or uuid.uuid4().hex, kind, str(order_id), key, f"ref-{order_id}", {})
    return world.write(lambda s: payments.told(s, "fake", event, now=world.now))


def test_a_charge_that_works_pays_the_order(world: World, sale: tuple[User, User, uuid.UUID]):
    order_id = sale[2]
    charge(world, order_id)
    assert states(world, order_id) == (PAID, CAPTURED)
    (entry,) = fake(world).entries(str(order_id))
    assert (entry.amount, entry.currency) == (Decimal("39.98"), "EUR")


def test_a_charge_that_timed_out_after_charging_is_captured_once(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    order_id = sale[2]
    fake(world, "charges_then_times_out")
    charge(world, order_id)
    assert states(world, order_id) == (PLACED, PENDING)
    assert charged(world, order_id) == ["charged"]
    assert not messages(
        world, OutboxMessage.kind == OutboxKind.CHARGE, OutboxMessage.done_at.is_not(None)
    )
    world.now += HOUR
    drain(world)
    assert states(world, order_id) == (PAID, CAPTURED)
    assert charged(world, order_id) == ["charged"]


def test_a_charge_that_never_arrived_is_asked_again_until_it_works(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    order_id = sale[2]
    fake(world, "times_out")
    charge(world, order_id)
    world.now += HOUR
    drain(world)
    assert states(world, order_id) == (PLACED, PENDING)
    assert charged(world, order_id) == ["asked"]
    fake(world, "works")
    world.now += HOUR
    drain(world)
    assert states(world, order_id) == (PAID, CAPTURED)
    assert charged(world, order_id) == ["charged"]


def test_money_taken_in_silence_for_an_order_cancelled_since_goes_back(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    fake(world, "charges_then_times_out")
    charge(world, order_id)
    as_buyer(world, buyer, orders.cancel, order_id)
    for _ in range(4):
        world.now += HOUR
        drain(world)
    assert charged(world, order_id) == ["refunded"]
    assert states(world, order_id) == (CANCELLED, PaymentState.REFUNDED)


def test_an_order_cancelled_before_it_was_asked_for_is_never_charged(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    as_buyer(world, buyer, orders.cancel, order_id)
    charge(world, order_id)
    world.now += HOUR
    drain(world)
    assert charged(world, order_id) == []
    assert states(world, order_id) == (CANCELLED, PENDING)


def test_a_declined_payment_is_tried_again_under_a_new_key_each_time(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    fake(world, "declines")
    charge(world, order_id)
    for _ in range(11):
        assert states(world, order_id) == (PLACED, FAILED)
        as_buyer(world, buyer, payments.try_again, order_id)
        charge(world, order_id)
    fake(world, "works")
    as_buyer(world, buyer, payments.try_again, order_id)
    charge(world, order_id)
    assert states(world, order_id) == (PAID, CAPTURED)
    assert charged(world, order_id) == ["declined"] * 12 + ["charged"]
    assert len({entry.key for entry in fake(world).entries(str(order_id))}) == 13


def test_what_is_being_asked_cannot_be_asked_beside_it(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    fake(world, "times_out")
    charge(world, order_id)
    with pytest.raises(Conflict):
        as_buyer(world, buyer, payments.try_again, order_id)


def test_what_nobody_asks_any_more_is_asked_again_under_the_same_key(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    fake(world, "times_out")
    for _ in range(12):
        drain(world)
        world.now += HOUR
    assert drain(world) == 0
    fake(world, "works")
    as_buyer(world, buyer, payments.try_again, order_id)
    charge(world, order_id)
    assert states(world, order_id) == (PAID, CAPTURED)
    assert charged(world, order_id) == ["charged"]


def test_a_refund_whose_answer_was_lost_is_made_once(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    _, seller, order_id = sale
    charge(world, order_id)
    as_buyer(world, seller, payments.refund, order_id)
    fake(world, "charges_then_times_out")
    drain(world)
    assert states(world, order_id) == (REFUNDED, PaymentState.REFUNDING)
    assert charged(world, order_id) == ["refunded"]
    world.now += HOUR
    drain(world)
    assert states(world, order_id) == (REFUNDED, PaymentState.REFUNDED)
    with pytest.raises(Conflict):
        as_buyer(world, seller, payments.refund, order_id)


def test_what_costs_nothing_is_paid_without_asking_anybody(world: World):
    buyer, seller = world.user(), world.user()
    fake(world, "declines")
    order_id = place(world, buyer, (world.product(seller, price=Decimal(0)).id, 1))
    charge(world, order_id)
    assert states(world, order_id) == (PAID, CAPTURED)
    as_buyer(world, seller, payments.refund, order_id)
    drain(world)
    assert states(world, order_id) == (REFUNDED, PaymentState.REFUNDED)
    assert charged(world, order_id) == []


# --- what providers tell by themselves -----------------------------------------------------


def test_news_of_a_capture_pays_the_order_and_counts_once(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    order_id = sale[2]
    assert news(world, order_id, EventKind.CAPTURED, "any", "event-1")
    assert states(world, order_id) == (PAID, CAPTURED)
    assert not news(world, order_id, EventKind.CAPTURED, "any", "event-1")
    assert not news(world, order_id, EventKind.REFUNDED, "any", "event-1")
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PaymentEvent)) == 1
    charge(world, order_id)
    assert charged(world, order_id) == []  # the outbox has nothing to ask any more


def test_a_failure_of_an_earlier_try_changes_nothing(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    buyer, _, order_id = sale
    fake(world, "declines")
    charge(world, order_id)
    (first,) = fake(world).entries(str(order_id))
    as_buyer(world, buyer, payments.try_again, order_id)
    assert news(world, order_id, EventKind.FAILED, first.key)
    assert states(world, order_id) == (PLACED, PENDING)


def test_news_of_what_is_not_ours_is_ignored(world: World, sale: tuple[User, User, uuid.UUID]):
    assert not news(world, uuid.uuid4(), EventKind.CAPTURED, "any")
    stray = Event("x", EventKind.CAPTURED, "no order", "", "", {})
    assert not world.write(lambda s: payments.told(s, "fake", stray, now=world.now))
    other = Event("y", EventKind.CAPTURED, str(sale[2]), "", "r", {})
    assert not world.write(lambda s: payments.told(s, "stripe", other, now=world.now))
    assert states(world, sale[2]) == (PLACED, PENDING)


def test_each_piece_of_news_comes_twice_from_a_provider_that_duplicates(
    world: World, sale: tuple[User, User, uuid.UUID]
) -> None:
    order_id = sale[2]
    books = fake(world, "duplicates")
    charge(world, order_id)
    client = world.client()
    answers: list[int] = []

    def post(headers: object, body: bytes) -> bool:
        answers.append(
            client.post("/payments/webhook/fake", data=body, headers=headers).status_code
        )
        return True

    assert books.tell(post) == 1
    assert answers == [204, 204]
    assert books.tell(post) == 0
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PaymentEvent)) == 1
    assert states(world, order_id) == (PAID, CAPTURED)


# --- letters -------------------------------------------------------------------------------


def test_everybody_is_told_in_their_own_language(world: World):
    buyer = world.user("ann", language="es")
    seller = world.user("bob", language="en", display_name="Bob's Lamps")
    order_id = place(world, buyer, (world.product(seller).id, 1))
    charge(world, order_id)
    as_buyer(world, seller, orders.ship, order_id)
    as_buyer(world, seller, payments.refund, order_id)
    letters = Letters()
    drain(world, letters)
    short = str(order_id)[:8]
    assert [(letter.to, letter.subject) for letter in letters.sent] == [
        ("ann@example.com", f"Tu pedido {short}"),
        ("ann@example.com", f"Pagado: pedido {short}"),
        ("bob@example.com", f"You sold something: order {short}"),
        ("ann@example.com", f"En camino: pedido {short}"),
        ("ann@example.com", f"Reembolsado: pedido {short}"),
    ]
    assert letters.sent[0].body == "Gracias por tu pedido a Bob's Lamps: 19,99\xa0€.\n"
    assert letters.sent[2].body == "ann has paid €19.99. Please send it: look under Sales.\n"
    assert len({letter.id for letter in letters.sent}) == 5


def test_whoever_has_left_gets_no_letters(world: World):
    buyer, seller = world.user(), world.user(deleted_at=world.now)
    order_id = place(world, buyer, (world.product(seller).id, 1))
    world.write(lambda s: orders.cancel(s, viewer(buyer), order_id, now=world.now))
    to = Counter(m.payload["to"] for m in messages(world, OutboxMessage.kind == OutboxKind.MAIL))
    assert to == {buyer.email: 2}


# --- the states ----------------------------------------------------------------------------

ORDER_STEPS = {
    (PLACED, PAID),
    (PLACED, CANCELLED),
    (PAID, SHIPPED),
    (PAID, REFUNDED),
    (SHIPPED, REFUNDED),
}
PAYMENT_STEPS = {
    (PENDING, CAPTURED),
    (PENDING, FAILED),
    (FAILED, PENDING),
    (FAILED, CAPTURED),
    (CAPTURED, PaymentState.REFUNDING),
    (PaymentState.REFUNDING, PaymentState.REFUNDED),
}
ACTS = ("charge", "drain", "cancel", "sell_cancel", "ship", "refund", "again", "captured", "failed")


def test_the_tables_of_transitions_are_these() -> None:
    assert {(a, b) for a, nexts in orders.ALLOWED.items() for b in nexts} == ORDER_STEPS
    assert {(a, b) for a, nexts in payments.ALLOWED.items() for b in nexts} == PAYMENT_STEPS


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(ACTS),
            st.sampled_from(("works", "declines", "times_out", "charges_then_times_out")),
        ),
        max_size=12,
    )
)
def test_whatever_is_done_in_whatever_order_money_and_stock_agree(
    world: World, acts: list[tuple[str, str]]
) -> None:
    buyer, seller = world.user(), world.user()
    lamp = world.product(seller, stock=10)
    order_id = place(world, buyer, (lamp.id, 3))
    was = states(world, order_id)
    for act, behaviour in acts:
        fake(world, behaviour)
        done = _done(world, act, buyer, seller, order_id)
        became = states(world, order_id)
        for before, after, steps in zip(was, became, (ORDER_STEPS, PAYMENT_STEPS), strict=True):
            assert before == after or _leads(before, after, steps), (act, was, became)
        assert done or became == was, "what was refused changed nothing"
        was = became
        held = 0 if was[0] is CANCELLED else 3
        if was[0] is not REFUNDED:  # what was sent before it was refunded stays with the buyer
            assert stock(world, lamp) == 10 - held
    fake(world, "works")
    for _ in range(4):
        world.now += HOUR
        drain(world)
    order, payment = states(world, order_id)
    books = charged(world, order_id)
    assert books.count("charged") <= 1
    if order in (PAID, SHIPPED):
        assert payment is CAPTURED
        assert books.count("charged") == 1
    if order in (CANCELLED, REFUNDED):
        assert payment not in (CAPTURED, PaymentState.REFUNDING)
        assert "charged" not in books, (acts, states(world, order_id))


def _leads(before: object, after: object, steps: set[tuple[object, object]]) -> bool:
    """Whether one or several steps go there: draining may take more than one."""
    reached = {before}
    while grown := {b for a, b in steps if a in reached} - reached:
        reached |= grown
    return after in reached


def _done(world: World, act: str, buyer: User, seller: User, order_id: uuid.UUID) -> bool:
    try:
        match act:
            case "charge":
                charge(world, order_id)
            case "drain":
                world.now += HOUR
                drain(world)
            case "cancel":
                as_buyer(world, buyer, orders.cancel, order_id)
            case "sell_cancel":
                world.write(
                    lambda s: orders.cancel(
                        s, viewer(seller), order_id, now=world.now, as_="seller"
                    )
                )
            case "ship":
                as_buyer(world, seller, orders.ship, order_id)
            case "refund":
                as_buyer(world, seller, payments.refund, order_id)
            case "again":
                as_buyer(world, buyer, payments.try_again, order_id)
            case "captured":
                for entry in fake(world).entries(str(order_id)):
                    if entry.state == "charged":
                        news(world, order_id, EventKind.CAPTURED, entry.key)
            case _:
                news(world, order_id, EventKind.FAILED, str(order_id))
    except Conflict:
        return False
    return True


def test_only_the_sides_of_an_order_move_it(world: World, sale: tuple[User, User, uuid.UUID]):
    buyer, seller, order_id = sale
    stranger = world.user()
    for user, service in (
        (stranger, orders.cancel),
        (stranger, orders.ship),
        (stranger, payments.refund),
        (stranger, payments.try_again),
        (seller, orders.cancel),
        (seller, payments.try_again),
        (buyer, orders.ship),
        (buyer, payments.refund),
    ):
        with pytest.raises(NotFound):
            as_buyer(world, user, service, order_id)
    assert states(world, order_id) == (PLACED, PENDING)
    assert providers(world).payments.name == "fake"
