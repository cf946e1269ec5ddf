from pathlib import Path

import pytest

from core import errors
from core.source import resolve


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("shop.db", "shop.db"),
        ("/srv/shop.db", "/srv/shop.db"),
        ("sqlite:///shop.db", "shop.db"),
        ("sqlite:///data/shop.db", "data/shop.db"),
        ("sqlite:////srv/shop.db", "/srv/shop.db"),
        ("sqlite+pysqlite:////srv/shop.db", "/srv/shop.db"),
        ("sqlite:///mis%20datos/ma%C3%B1ana.db", "mis datos/mañana.db"),
        ("sqlite:////srv/shop.db?timeout=5&mode=ro", "/srv/shop.db"),
        ("a b%20c.db", "a b%20c.db"),
        ("file:shop.db?mode=rwc", "file:shop.db?mode=rwc"),
        (":memory:", ":memory:"),
    ],
)
def test_a_path_or_a_url_names_a_file(text: str, path: str) -> None:
    assert resolve(text) == Path(path)


@pytest.mark.parametrize("text", ["", "sqlite://", "sqlite:///", "sqlite:///?cache=shared"])
def test_no_path_is_refused(text: str) -> None:
    with pytest.raises(errors.SourcePathEmpty):
        resolve(text)
