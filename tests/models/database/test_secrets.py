"""No part of a database's URL that may be a secret is printed, wherever it is and however it is written."""

import pytest

from models.database.secrets import shown_url, without_secrets

SECRET = "hunter2x"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@h:5432/db",
        f"postgresql://u:{SECRET}@h/db?sslmode=require",
        f"postgresql://u:a@{SECRET}@h/db",
        f"postgresql://u:a/{SECRET}@h/db",
        f"postgresql://u:a?{SECRET}@h/db",
        f"postgresql://u:a?b={SECRET}@h/db",
        f"postgresql://u:a#{SECRET}@h/db",
        f"postgresql://u:a:{SECRET}@h/db",
        f"postgresql://u:%68{SECRET}@h/db",
        f"postgresql://user:{SECRET}/db",
        f"postgresql://{SECRET}",
        f"postgresql://h/db?password={SECRET}",
        f"postgresql://h/db?PassWord={SECRET}",
        f"postgresql://h/db?%70assword={SECRET}",
        f"postgresql://h/db?sslmode=require&sslpassword={SECRET}",
        f"postgresql://h/db?passfile=/x/{SECRET}",
        f"postgresql://h/db?options=-c%20x.y%3D{SECRET}",
        f"postgresql://h/db?service={SECRET}",
        f"postgresql://h/db?unheard_of={SECRET}",
        f"postgresql://h/db?password=a&{SECRET}",
        f"postgresql://h/db?dbname=host%3Dx%20password%3D{SECRET}",
        f"postgresql://h/db?dbname=postgresql://u:{SECRET}@h",
        f"postgresql://h/db?host=postgresql%3A%2F%2Fu%3A{SECRET}%40h",
        f"postgresql:///host%3Dx%20password%3D{SECRET}",
        f"postgresql:///password={SECRET}",
        f"{SECRET}://h",
        f"u:{SECRET}@h/db",
        SECRET,
    ],
)
def test_no_secret_of_a_url_is_shown(url):
    if url != f"postgresql://{SECRET}" and url != f"{SECRET}://h":  # a host and a scheme are no secrets
        assert SECRET not in shown_url(url)
        assert "hunter" not in shown_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5432/db", "postgresql://u:***@h:5432/db"),
        ("postgresql+psycopg2://nobody@127.0.0.1:1/none", "postgresql+psycopg2://nobody@127.0.0.1:1/none"),
        ("postgresql://[::1]:5432/db", "postgresql://[::1]:5432/db"),
        ("postgresql:///db?host=/run/postgresql", "postgresql:///db?host=/run/postgresql"),
        ("postgresql://h/db?password=x&sslmode=require", "postgresql://h/db?password=***&sslmode=require"),
        ("sqlite:////home/me/a b@c.db", "sqlite:////home/me/a b@c.db"),
    ],
)
def test_what_an_operator_must_recognise_is_shown(url, shown):
    assert shown_url(url) == shown


@pytest.mark.parametrize("spelling", ["p@ss wörd", "p%40ss%20w%C3%B6rd", "p%40ss+w%C3%B6rd"])
@pytest.mark.parametrize("place", ["postgresql://u:{}@h/db", "postgresql://h/db?password={}"])
def test_every_spelling_of_a_secret_leaves_a_drivers_message(spelling, place):
    message = f'invalid dsn: "host=h password={spelling} x", FATAL: {spelling} is wrong'
    cleaned = without_secrets(message, place.format("p%40ss%20w%C3%B6rd"))
    assert "rd" not in cleaned.replace("password", "")
    assert cleaned.startswith("invalid dsn")


@pytest.mark.parametrize(
    "text",
    [
        f"could not connect to postgresql://u:{SECRET}@h/db: refused",
        f"dsn: host=h password={SECRET} dbname=d",
        f"dsn: host=h password='{SECRET} x' dbname=d",
        f"{{'host': 'h', 'password': '{SECRET}'}}",
        f"PGPASSWORD={SECRET}",
        f"?sslpassword={SECRET}&a=b",
        f"http_proxy=http://u:{SECRET}@proxy:3128",
    ],
)
def test_a_text_that_repeats_a_connection_string_loses_its_secrets(text):
    cleaned = without_secrets(text)
    assert SECRET not in cleaned
    assert "***" in cleaned


def test_a_short_password_is_hidden_as_a_separate_word_and_nowhere_else():
    assert without_secrets("role e at here, password=e", "postgresql://u:e@h/d") == "role *** at here, password=***"


def test_the_time_for_a_hostile_text_grows_only_with_its_length():
    assert len(without_secrets("://a:" * 100_000 + "password=" * 50_000)) > 100_000
