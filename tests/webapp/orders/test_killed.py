"""A process that is killed in mid-order leaves the order whole or not at all."""

from __future__ import annotations

import os
import random
import select as waiting
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal

from sqlalchemy import func, select

from tests.webapp.world import REPOSITORY, World
from webapp.models import (
    IdempotencyKey,
    Order,
    OrderItem,
    OrderState,
    OutboxKind,
    OutboxMessage,
    Payment,
    Product,
)

KILLS = 50
STOCK = 100_000


def test_killed_fifty_times_in_mid_order_stock_and_orders_agree(busy_world: World) -> None:
    world = busy_world
    sellers = [world.user(), world.user()]
    products = [
        world.product(sellers[n % 2], price=Decimal("0.10") * (n + 1), stock=STOCK)
        for n in range(4)
    ]
    buyer = world.user()
    acknowledged, caught = _killed_again_and_again(world, buyer.id, [p.id for p in products])
    assert caught >= KILLS // 5, "hardly any was killed while it ordered"
    assert acknowledged >= KILLS // 2, "hardly any order was placed"
    with world.database.reading() as session:
        assert acknowledged <= _count(session, IdempotencyKey) <= acknowledged + KILLS
        orders = session.scalars(select(Order)).all()
        assert len(orders) >= acknowledged
        items = session.scalars(select(OrderItem)).all()
        states = {order.id: order.state for order in orders}
        held, sums = Counter[int](), Counter[object]()
        for item in items:
            sums[item.order_id] += item.line_total
            if states[item.order_id] not in (OrderState.CANCELLED, OrderState.REFUNDED):
                held[item.product_id] += item.quantity
        left = dict(session.execute(select(Product.id, Product.stock)).all())
        assert {id_: left[id_] + held[id_] for id_ in left} == dict.fromkeys(left, STOCK)
        assert sums == {order.id: order.total for order in orders}
        assert _count(session, Payment) == len(orders)
        charges = select(func.count()).where(OutboxMessage.kind == OutboxKind.CHARGE)
        assert session.scalar(charges) == len(orders)
    assert {OrderState.PLACED, OrderState.CANCELLED} == set(states.values())


def _count(session: object, table: object) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[attr-defined]


def _killed_again_and_again(world: World, buyer_id: int, ids: list[int]) -> tuple[int, int]:
    """How many units of work were acknowledged, and how many kills came amidst one."""
    command = [sys.executable, "-m", "tests.webapp.orders.restless_buyer", world.url]
    command += [str(buyer_id), *map(str, ids)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    reading, writing = os.pipe()
    acknowledged = caught = 0
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writing,
    ) as parent:  # fmt: skip
        os.close(writing)
        assert parent.stdin
        assert parent.stdout
        for _ in range(KILLS):
            parent.stdin.write("\n")
            pid = int(parent.stdout.readline())
            marks = _marks_until(reading, done=random.randint(0, 3))
            time.sleep(random.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
            assert parent.stdout.readline() == "killed\n"
            marks += _rest(reading)
            assert set(marks) <= {"b", "e"}, marks
            acknowledged += marks.count("e")
            caught += marks.endswith("b")
        parent.stdin.close()
        parent.wait(30)
    os.close(reading)
    return acknowledged, caught


def _marks_until(reading: int, *, done: int) -> str:
    """What it wrote until so many units of work were done, and another began."""
    marks = ""
    while marks.count("e") < done or not marks.endswith("b"):
        assert waiting.select([reading], [], [], 60)[0], f"it did no more than {marks}"
        marks += os.read(reading, 65536).decode()
    return marks


def _rest(reading: int) -> str:
    found = ""
    while waiting.select([reading], [], [], 0)[0]:
        found += os.read(reading, 65536).decode()
    return found
