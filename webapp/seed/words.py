"""What things and people are called, in English and in Spanish."""

from __future__ import annotations

import random

TITLE_MAX = 200

_MADE = (
    ("Walnut", "de nogal"),
    ("Linen", "de lino"),
    ("Copper", "de cobre"),
    ("Felt", "de fieltro"),
    ("Bamboo", "de bambú"),
    ("Enamel", "de esmalte"),
    ("Cork", "de corcho"),
    ("Wool", "de lana"),
    ("Glass", "de vidrio"),
    ("Leather", "de cuero"),
    ("Olive wood", "de olivo"),
    ("Stoneware", "de gres"),
)
_THINGS = (
    ("lamp", "Lámpara"),
    ("tea pot", "Tetera"),
    ("chair", "Silla"),
    ("kite", "Cometa"),
    ("notebook", "Cuaderno"),
    ("radio", "Radio"),
    ("blanket", "Manta"),
    ("clock", "Reloj"),
    ("bird house", "Casita de pájaros"),
    ("umbrella", "Paraguas"),
    ("puzzle", "Rompecabezas"),
    ("backpack", "Mochila"),
    ("pencil case", "Estuche"),
    ("mirror", "Espejo"),
    ("watering can", "Regadera"),
    ("cushion", "Cojín"),
)
_TRAITS = (
    ("with a story", "con historia"),
    ("for small rooms", "para cuartos pequeños"),
    ("from the seventies", "de los años setenta"),
    ("hardly used", "casi sin usar"),
    ("made by hand in Logroño", "hecho a mano en Logroño"),
    ("that folds", "plegable"),
    ("for rainy Sundays", "para domingos de lluvia"),
    ("in its own box", "en su caja"),
    ("mended twice, good as new", "reparado dos veces, como nuevo"),
    ("big enough for two", "para dos"),
)
_SIGNS = ("🪑", "☕", "🎁", "🧶", "🌿", "👩‍🎨", "🇪🇸", "✨")
_FIRST = (
    "Lucía", "Iñaki", "Ana", "José", "Zoë", "Tom", "Núria", "Øystein", "Mary", "Omar", "Chloé",
    "Łukasz", "Grace", "Begoña", "Arthur", "Ivy",
)  # fmt: skip
_LAST = (
    "Peña", "O'Brien", "García", "Müller", "Smith", "Ibáñez", "Åberg", "Núñez", "Clarke", "Weiß",
    "Quispe", "Jones", "Sánchez-Ruiz", "Đorđević",
)  # fmt: skip
_OPINIONS = (
    "Just as it was described.",
    "Llegó antes de lo que esperaba. ¡Gracias!",
    "Smaller than I thought; still a joy.",
    "El color no es el de la foto.",
    "My daughter does not let go of it 😀",
    "Broke on the second day, the seller sent another.",
    "",
    "Línea uno.\nLínea dos.\n\n«Muy bonito», dijo mi abuela.",
)
_ASKED = (
    ("Does it come in green?", "In green and in blue."),
    ("¿Cuánto pesa?", "Unos 400 gramos."),
    ("Is it still there?", "It is, until somebody buys it."),
    ("¿Envían a Canarias?", "Sí, en una semana."),
    ("Can it go into the dishwasher?", "Better not."),
)
_STREETS = ("Calle Mayor", "Mill Lane", "Plaza de España", "High Street", "Carrer de Baix")
_CITIES = (("Málaga", "ES"), ("Leeds", "GB"), ("A Coruña", "ES"), ("Galway", "IE"), ("Vic", "ES"))

CATEGORIES = (
    ("home", "Home", "Hogar", (("light", "Light", "Luz"), ("kitchen", "Kitchen", "Cocina"))),
    ("play", "Play", "Juegos", (("outside", "Outside", "Al aire libre"), ("board", "On the table", "De mesa"))),
    ("paper", "Paper & pens", "Papelería", (("books", "Books to write in", "Cuadernos"),)),
    ("wear", "To wear", "Para vestir", (("bags", "Bags", "Bolsos"), ("rain", "Against rain", "Para la lluvia"))),
    ("old", "Old things", "Antigüedades", (("clocks", "Clocks", "Relojes"),)),
)  # fmt: skip
"""The tree: slug, English, Spanish, and the same of what is below."""


def title(chance: random.Random, number: int) -> str:
    """A product's; every hundredth is as long as a title may be."""
    made, thing = chance.choice(_MADE), chance.choice(_THINGS)
    trait = chance.choice(_TRAITS)
    said = f"{made[0]} {thing[0]} {trait[0]}"
    if number % 3 == 0:
        said = f"{thing[1]} {made[1]} {trait[1]}"
    if number % 7 == 0:
        said += f" {chance.choice(_SIGNS)}"
    if number % 100 == 50:
        said = _long(said, chance)
    return said


def _long(said: str, chance: random.Random) -> str:
    while len(said) < TITLE_MAX:
        said += f", {chance.choice(_TRAITS)[number_of_language(said)]}"
    return said[: TITLE_MAX - 1].rstrip() + "…"


def number_of_language(said: str) -> int:
    """0 for English, 1 for Spanish, by the word that Spanish titles have."""
    return int(" de " in said)


def description(chance: random.Random) -> str:
    """Some sentences, at times none."""
    traits = chance.sample(_TRAITS, chance.randrange(4))
    return "\n\n".join(f"It is {en}. Es {es}." for en, es in traits)


def person(chance: random.Random) -> str:
    """A whole name."""
    return f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"


def opinion(chance: random.Random) -> str:
    """What a review says."""
    return chance.choice(_OPINIONS)


def question(chance: random.Random) -> tuple[str, str]:
    """One, and its answer."""
    return chance.choice(_ASKED)


def address(chance: random.Random, name: str) -> dict[str, object]:
    """Where an order goes."""
    city, country = chance.choice(_CITIES)
    return {
        "name": name,
        "street": f"{chance.choice(_STREETS)} {chance.randrange(1, 200)}",
        "city": city,
        "postcode": f"{chance.randrange(1000, 53000):05}",
        "country": country,
    }


def attributes(chance: random.Random) -> dict[str, object]:
    """What a seller says of a product: a document of all kinds of values."""
    made = chance.choice(_MADE)
    return {
        "material": {"en": made[0].lower(), "es": made[1].removeprefix("de ")},
        "weight_kg": chance.randrange(1, 900) / 100,
        "pieces": chance.randrange(1, 12),
        "handmade": chance.random() < 0.4,
        "size_cm": [chance.randrange(5, 90) for _ in range(3)],
        "note": chance.choice([None, "«frágil»", "50 % off ✂", ""]),
    }
