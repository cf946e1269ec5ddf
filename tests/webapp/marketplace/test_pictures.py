"""Pictures: what is taken for one, and how they are served."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from tests.webapp.marketplace.shelf import again, looked, page_of
from tests.webapp.world import World
from webapp.models import Product, ProductImage, ProductState, Role, User
from webapp.services.images import media_type

KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


def picture(kind: str = "PNG", colour: str = "teal") -> bytes:
    """A small picture of a kind."""
    made = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(made, kind)
    return made.getvalue()


@pytest.fixture
def seller(world: World) -> User:
    return world.user(role=Role.SELLER)


def sent(
    world: World, seller: User, product: Product, content: bytes, alternative: str = "A square"
) -> tuple[int, str]:
    """The status of an answer to an upload, and what it says."""
    file = FileStorage(io.BytesIO(content), "x.png", content_type="image/png")
    form = {"picture": file, "alternative": alternative}
    boundary, body = encode_multipart(form)
    answer = world.client(seller).post(
        f"/sell/{product.id}/images",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )
    return answer.status_code, answer.text


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_picture_is_served_as_what_it_is(world: World, seller: User, kind: str) -> None:
    product, content = world.product(seller), picture(kind)
    assert sent(world, seller, product, content)[0] == 302
    answer = world.client().get(f"/products/{product.id}/images/1")
    assert answer.status_code == 200
    assert answer.data == content
    assert answer.headers["Content-Type"] == KINDS[kind]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert "Set-Cookie" not in answer.headers


def test_a_browser_that_has_it_is_sent_nothing(world: World, seller: User) -> None:
    product = world.product(seller)
    sent(world, seller, product, picture())
    address = f"/products/{product.id}/images/1"
    tag = world.client().get(address).headers["ETag"]
    answer = world.client().get(address, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == tag
    other = world.client().get(address, headers={"If-None-Match": '"x"'})
    assert other.status_code == 200


def test_the_address_on_a_page_names_the_bytes_and_so_is_kept_for_good(
    world: World, seller: User
) -> None:
    product = world.product(seller)
    sent(world, seller, product, picture())
    shown = page_of(world.client().get(f"/products/{product.id}")).select_one("img.picture")
    assert shown is not None
    assert shown["alt"] == "A square"
    answer = world.client().get(str(shown["src"]))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    other = world.client().get(f"/products/{product.id}/images/1?v=other")
    assert other.headers["Cache-Control"] == "public, max-age=300"


def test_pictures_of_what_is_not_for_sale_are_seen_by_its_seller_and_admins_alone(
    world: World, seller: User
) -> None:
    product = world.product(seller, state=ProductState.DRAFT)
    sent(world, seller, product, picture())
    address = f"/products/{product.id}/images/1"
    whose = [None, world.user(), seller, world.user(role=Role.ADMIN)]
    answers = [world.client(who).get(address) for who in whose]
    assert [answer.status_code for answer in answers] == [404, 404, 200, 200]
    assert answers[2].headers["Cache-Control"] == "private, no-cache"


NO_PICTURES = {
    "empty": b"",
    "html": b"<html><script>alert(1)</script>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "png too short": b"\x89PNG\r\n\x1a\n",
    "png, then html": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "gif of no version": b"GIF90a" + b"\0" * 20,
    "riff, not webp": b"RIFF\x24\0\0\0WAVEfmt ",
    "html before a gif": b"<b>GIF89a",
    "bmp": b"BM" + b"\0" * 60,
    "zip": b"PK\x03\x04" + b"\0" * 30,
}


@pytest.mark.parametrize("name", list(NO_PICTURES))
def test_what_does_not_begin_like_a_picture_is_none(world: World, seller: User, name: str) -> None:
    product = world.product(seller)
    status, text = sent(world, seller, product, NO_PICTURES[name])
    sentence = "Choose a picture first." if name == "empty" else "This is no PNG, JPEG"
    assert (status, sentence in text) == (422, True)
    assert looked(world, lambda s: s.scalars(select(ProductImage.number)).all()) == []


@pytest.mark.parametrize("cut", range(16))
def test_the_beginning_of_a_picture_is_not_enough_or_is_what_it_says(cut: int) -> None:
    for kind, is_called in KINDS.items():
        assert media_type(picture(kind)[:cut]) in (None, is_called)
        assert media_type(picture(kind)) == is_called


def test_a_picture_has_as_many_bytes_as_the_settings_say(world: World, seller: User) -> None:
    product = world.product(seller)
    most = 2 * 1024 * 1024
    content = picture("GIF")
    whole = content + b"\0" * (most - len(content))
    assert sent(world, seller, product, whole)[0] == 302
    status, text = sent(world, seller, product, whole + b"\0")
    assert (status, "too many bytes" in text) == (422, True)
    assert sent(world, seller, product, whole * 2)[0] == 413
    assert looked(world, lambda s: s.scalars(select(ProductImage.number)).all()) == [1]


def test_a_product_has_eight_pictures_at_most(world: World, seller: User) -> None:
    product = world.product(seller)
    for _ in range(8):
        assert sent(world, seller, product, picture())[0] == 302
    status, text = sent(world, seller, product, picture())
    assert (status, "There are eight pictures." in text) == (422, True)
    client = world.client(seller)
    assert client.post(f"/sell/{product.id}/images/3/remove").status_code == 302
    assert client.post(f"/sell/{product.id}/images/3/remove").status_code == 404
    assert sent(world, seller, product, picture())[0] == 302
    numbers = looked(world, lambda s: s.scalars(select(ProductImage.number)).all())
    assert sorted(numbers) == [1, 2, 4, 5, 6, 7, 8, 9]


def test_an_alternative_that_is_too_long_is_refused(world: World, seller: User) -> None:
    product = world.product(seller)
    status, text = sent(world, seller, product, picture(), "x" * 201)
    assert (status, "This is too long." in text) == (422, True)


def test_a_form_without_a_file_asks_for_one(world: World, seller: User) -> None:
    product = world.product(seller)
    answer = world.client(seller).post(f"/sell/{product.id}/images", data={"alternative": "x"})
    assert (answer.status_code, "Choose a picture first." in answer.text) == (422, True)
    assert again(world, product).version == 1
