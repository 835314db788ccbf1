"""Invented customers of six countries and more, with the personal data that support chats carry."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Final

from .draws import digest, digits, pick, rng_for
from .plan import OPTED_OUT

NAMES: Final[dict[str, tuple[str, str]]] = {
    "en": (
        "Oliver Amelia George Isla Harry Freya Jack Poppy Noah Grace Leo Ruby Ethan Chloe Aisha "
        "Marcus Priya Dylan Hannah Siobhan Callum Naomi Trevor Bethany Kwame Leanne",
        "Whitfield Ashcroft Pemberton Okafor Hargreaves Lindqvist Mercer Donnelly Patel Blackwood "
        "Fairweather Nkemelu Sutcliffe Brannigan Holloway Thackeray Ramsbottom Osei Caldwell "
        "Winterbourne Espinosa Kowalczyk",
    ),
    "de": (
        "Lukas Annika Jonas Friederike Maximilian Heike Stefan Gudrun Tobias Ute Matthias Svenja",
        "Brandstätter Oberhuber Kleinschmidt Vogelsang Hoffmeister Zimmerling Rosenbaum Lindner "
        "Schäfer Wiedemann Grünwald Petersen",
    ),
    "fr": (
        "Camille Théo Élodie Bastien Margaux Guillaume Sandrine Hugo Maëlle Pascal Inès Florian",
        "Delacroix Beaumont Lefebvre Marchand Rousselle Chevallier Garnier Poirier Thibault "
        "Fontanelle Blanchard Carpentier",
    ),
    "es": (
        "Lucía Alejandro Carmen Javier Marta Sergio Pilar Álvaro Nuria Ignacio Rocío Andrés",
        "Villanueva Cabrera Montesinos Echeverría Zamora Quintero Lozano Figueroa Navarrete "
        "Cárdenas Olmedo Robles",
    ),
    "it": (
        "Giulia Lorenzo Chiara Matteo Federica Alessandro Martina Davide Elisa Riccardo",
        "Bianchetti Moretti Castellano Ferrara Lombardini Santoro Pellegrini Marchetti Vitale "
        "Caruso",
    ),
}
STREETS: Final[dict[str, str]] = {
    "GB": "{n} Alder Close|{n} Station Road|Flat 3, {n} Harcourt Terrace|{n} Mill Lane",
    "IE": "{n} Harbour View|{n} Clonmore Road",
    "US": "{n} Sycamore Ave Apt 4B|{n} Old Mill Rd|{n} Lakeview Dr|{n} W Juniper St",
    "AU": "{n} Banksia Street|{n} Wattle Grove",
    "SE": "Björkgatan {n}|Södra vägen {n}",
    "DE": "Lindenallee {n}|Am Mühlbach {n}|Bahnhofstraße {n}|Goethestr. {n}",
    "AT": "Kirchengasse {n}|Rosenweg {n}",
    "CH": "Seestrasse {n}|Dorfplatz {n}",
    "FR": "{n} rue des Tilleuls|{n} bis avenue Jean Moulin|{n} impasse du Lavoir",
    "ES": "Calle de los Olivos {n}, 2º B|Avenida del Mar {n}|Plaza Mayor {n}",
    "IT": "Via dei Glicini {n}|Corso Garibaldi {n}|Piazza Dante {n}",
}
CITIES: Final[dict[str, str]] = {
    "GB": "LS6 2QT Leeds|BS3 4HL Bristol|EH8 9YL Edinburgh|M20 1AB Manchester",
    "IE": "D06 X2T4 Dublin|T12 RK3P Cork",
    "US": "97214 Portland, OR|78704 Austin, TX|04101 Portland, ME|60614 Chicago, IL",
    "AU": "3056 Brunswick VIC|4101 West End QLD",
    "SE": "41263 Göteborg|75320 Uppsala",
    "DE": "50937 Köln|04109 Leipzig|79098 Freiburg|22765 Hamburg",
    "AT": "8010 Graz|5020 Salzburg",
    "CH": "8004 Zürich|3011 Bern",
    "FR": "69007 Lyon|31000 Toulouse|44000 Nantes",
    "ES": "46010 Valencia|41004 Sevilla|28015 Madrid",
    "IT": "40125 Bologna|10124 Torino|80133 Napoli",
}
COUNTRIES: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "en": (("GB", 0.42), ("US", 0.36), ("IE", 0.08), ("AU", 0.07), ("SE", 0.07)),
    "de": (("DE", 0.75), ("AT", 0.15), ("CH", 0.10)),
    "fr": (("FR", 1.0),),
    "es": (("ES", 1.0),),
    "it": (("IT", 1.0),),
}
CURRENCY: Final = {"GB": "GBP", "US": "USD", "AU": "USD"}
#: Numbers from ranges kept for drama and tests where a country has one.
PHONES: Final[dict[str, str]] = {
    "GB": "07700 900{d3}|+44 7700 900{d3}|020 7946 0{d3}",
    "IE": "+353 20 91{d5}",
    "US": "(503) 555-01{d2}|+1 312-555-01{d2}|512.555.01{d2}",
    "AU": "0491 570 {d3}|+61 491 570 {d3}",
    "SE": "070-1740 6{d2}",
    "DE": "0171 39200{d2}|+49 30 23125{d3}|030/23125 {d3}",
    "AT": "+43 1 999 01{d2}",
    "CH": "+41 44 999 01 {d2}",
    "FR": "06 39 98 {d2} {e2}|+33 6 39 98 {d2} {e2}",
    "ES": "+34 600 00 {d2} {e2}|600 00{d2}{e2}",
    "IT": "+39 320 000 0{d3}|320 0000{d3}",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One invented customer; the same number always gives the same person."""

    user_id: str
    customer_id: str
    first: str
    last: str
    email: str
    phone: str
    street: str
    city: str
    country: str
    lang: str
    currency: str
    born: dt.date
    opt_out: bool

    @property
    def address(self) -> str:
        """Street and city on one line."""
        return f"{self.street}, {self.city}"


def _mail(rng: random.Random, first: str, last: str) -> str:
    plain = str.maketrans("áàâäåéèêëíïñóôöúüçßø", "aaaaaeeeeiinooouucso")
    first, last = first.lower().translate(plain), last.lower().translate(plain)
    form = rng.choice(["{f}.{l}", "{f}{l}{n}", "{i}.{l}", "{l}.{f}", "{f}_{l}{n}"])
    name = form.format(f=first, l=last, i=first[0], n=rng.randint(2, 99))
    return f"{name}@{rng.choice(['example.com', 'example.org', 'example.net', 'mail.example'])}"


def person(seed: int, lang: str, number: int) -> Person:
    """The customer with a number among those who write a language."""
    rng = rng_for(seed, "person", lang, number)
    options = COUNTRIES[lang]
    country = options[pick(rng, [weight for _, weight in options])][0]
    firsts, lasts = NAMES[lang]
    first, last = rng.choice(firsts.split()), rng.choice(lasts.split())
    key = digest(seed, "person", lang, number, size=8)
    phone = rng.choice(PHONES[country].split("|"))
    return Person(
        user_id=f"u-{key[:12]}",
        customer_id=f"C{digits(rng, 7)}",
        first=first,
        last=last,
        email=_mail(rng, first, last),
        phone=phone.format(
            d2=f"{rng.randint(0, 99):02}",
            e2=f"{rng.randint(0, 99):02}",
            d3=f"{rng.randint(0, 999):03}",
            d5=f"{rng.randint(0, 99999):05}",
        ),
        street=rng.choice(STREETS[country].split("|")).format(n=rng.randint(1, 98)),
        city=rng.choice(CITIES[country].split("|")),
        country=country,
        lang=lang,
        currency=CURRENCY.get(country, "EUR"),
        born=dt.date(1950, 1, 1) + dt.timedelta(days=rng.randint(0, 19500)),
        opt_out=(lang, number) in OPTED_OUT,
    )


def card_number(rng: random.Random) -> str:
    """A card number with a valid check digit, from ranges kept for tests."""
    known = ["4242424242424242", "5555555555554444", "378282246310005", "4000056655665556"]
    if rng.random() < 0.5:
        number = rng.choice(known)
    else:
        body = "400000" + digits(rng, 9)
        total = 0
        for place, digit in enumerate(reversed(body)):
            value = int(digit) * (2 if place % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        number = body + str(-total % 10)
    if len(number) == 16 and rng.random() < 0.6:
        return " ".join(number[i : i + 4] for i in range(0, 16, 4))
    return number


def iban(rng: random.Random, country: str) -> str:
    """An IBAN with valid check digits over an account at a bank code nobody holds."""
    bodies = {
        "DE": "10000000" + digits(rng, 10),
        "GB": "TEST" + "000000" + digits(rng, 8),
        "IE": "TEST" + "000000" + digits(rng, 8),
        "ES": "9999" + "0000" + digits(rng, 12),
        "FR": "99999" + "00000" + digits(rng, 11) + "00",
    }
    country = country if country in bodies else "DE"
    body = bodies[country]
    text = "".join(str(int(c, 36)) for c in body + country + "00")
    number = f"{country}{98 - int(text) % 97:02}{body}"
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
