"""A laboratory's system signs in: by a signed assertion or a secret, for some minutes."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from joserfc.jwk import ECKey, RSAKey

from monitoring import redis
from patients.models import AccessToken, Inbound, Laboratory, LaboratoryClient, SpentAssertion
from patients.record.clients import (
    NoPlaceForSecret,
    add_client,
    issue_secret,
    revoke_client,
    revoke_secret,
    set_keys,
)
from tests.conftest import MONDAY, draw
from tests.monitoring.clients import (
    AUDIENCE,
    EC,
    RSA,
    ask,
    assertion,
    key_server,
    public,
    signed,
)

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"by": "operator", "at": MONDAY}


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    redis.ask(lambda line: line.flushdb())
    cache.clear()


@pytest.fixture
def client(laboratory: Laboratory) -> LaboratoryClient:
    """A client whose two public keys were handed in."""
    client = add_client(laboratory=laboratory, name="north-lis", scopes="cur", **BY)
    set_keys(name="north-lis", jwks=public(RSA, EC), **BY)
    return client


@pytest.fixture
def secret(client: LaboratoryClient) -> str:
    return issue_secret(name=client.name, **BY)


def with_secret(secret: str, **more: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": "north-lis",
        "client_secret": secret,
        **more,
    }


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def push(token: str) -> Any:
    return Client().post(
        "/api/v1/results",
        json.dumps(draw()),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


# What is given


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS384", "ES384"])
def test_a_signed_assertion_earns_a_token_that_opens_the_door(
    client: LaboratoryClient, key: RSAKey | ECKey
) -> None:
    answer = ask(signed(assertion("north-lis", key=key), scope="system/Observation.cu"))

    said = answer.json()
    assert answer.status_code == 200
    assert said["token_type"].lower() == "bearer"
    assert 300 <= said["expires_in"] <= 900
    assert said["scope"] == "system/Observation.cu"
    assert answer["Cache-Control"] == "no-store"
    assert push(said["access_token"]).status_code == 201
    assert Inbound.objects.get().client == client


def test_a_secret_is_taken_in_the_form_and_as_basic(secret: str) -> None:
    in_form = ask(with_secret(secret))
    in_header = ask({"grant_type": "client_credentials"}, Authorization=basic("north-lis", secret))

    assert [in_form.status_code, in_header.status_code] == [200, 200]
    assert in_form.json()["access_token"] != in_header.json()["access_token"]


def test_without_a_scope_everything_is_given_that_the_client_may_do(secret: str) -> None:
    assert ask(with_secret(secret)).json()["scope"] == "system/Observation.cru"


def test_only_digests_of_secrets_and_tokens_are_kept(secret: str) -> None:
    token = ask(with_secret(secret)).json()["access_token"]

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT string_agg(t::text, ' ') FROM patients_accesstoken t)"
            " || (SELECT string_agg(s::text, ' ') FROM patients_clientsecret s)"
        )
        [kept] = cursor.fetchone()
    assert token not in kept
    assert secret not in kept


def test_a_token_ends(secret: str) -> None:
    token = ask(with_secret(secret)).json()["access_token"]
    AccessToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert push(token).status_code == 401


def test_what_has_ended_is_cleared_away_at_the_next_sign_in(secret: str) -> None:
    ask(with_secret(secret))
    ask(signed(assertion("north-lis")))
    AccessToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    SpentAssertion.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))

    ask(with_secret(secret))

    assert AccessToken.objects.count() == 1
    assert not SpentAssertion.objects.exists()


# What is not


def refused(answer: Any, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.content
    assert answer.json()["error_description"]
    assert answer["Cache-Control"] == "no-store"


def test_an_assertion_is_used_once(client: LaboratoryClient) -> None:
    text = assertion("north-lis")

    first, again = ask(signed(text)), ask(signed(text))

    assert first.status_code == 200
    refused(again, 401, "invalid_client")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_sixteen_uses_of_one_assertion_at_once_one_is_answered(client: LaboratoryClient) -> None:
    text = assertion("north-lis")

    def one(_: int) -> int:
        try:
            status: int = ask(signed(text)).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = sorted(pool.map(one, range(16)))

    assert answers == [200, *[401] * 15]
    assert AccessToken.objects.count() == 1


STRANGER = ECKey.generate_key("P-384", {"kid": "ec-1"})


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        pytest.param({"sub": "another"}, EC, id="sub is another"),
        pytest.param({"iss": "another", "sub": "another"}, EC, id="unknown client"),
        pytest.param({"audience": "http://elsewhere/oauth2/token"}, EC, id="for another server"),
        pytest.param({"audience": None}, EC, id="for nobody"),
        pytest.param({"ends_in_s": 400}, EC, id="more than five minutes"),
        pytest.param({"ends_in_s": -1}, EC, id="ended"),
        pytest.param({"exp": None}, EC, id="without an end"),
        pytest.param({"exp": "tomorrow"}, EC, id="end in words"),
        pytest.param({"exp": 1e300}, EC, id="end beyond all time"),
        pytest.param({"exp": True}, EC, id="end that is true"),
        pytest.param({"jti": None}, EC, id="without a name"),
        pytest.param({"jti": ""}, EC, id="empty name"),
        pytest.param({"jti": 7}, EC, id="name that is a number"),
        pytest.param({"nbf": 4102444800}, EC, id="not before 2100"),
        pytest.param({"iat": 4102444800}, EC, id="made in 2100"),
        pytest.param({"header": {"kid": None}}, EC, id="no kid"),
        pytest.param({"header": {"kid": "ec-2"}}, EC, id="unknown kid"),
        pytest.param({"header": {"kid": "rsa-1"}}, EC, id="kid of the other kind"),
        pytest.param({"header": {"typ": "at+jwt"}}, EC, id="of another type"),
        pytest.param({"header": {"jku": "https://elsewhere.example/k"}}, EC, id="another jku"),
        pytest.param({}, STRANGER, id="signed by a stranger"),
        pytest.param({"header": {"alg": "RS256"}}, RSA, id="RS256"),
    ],
)
def test_an_assertion_with_a_fault_is_refused(
    client: LaboratoryClient, changed: dict[str, Any], key: RSAKey | ECKey
) -> None:
    refused(ask(signed(assertion("north-lis", key=key, **changed))), 401, "invalid_client")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "text",
    ["", "a.b.c", "....", "e30.e30.", "x" * 20_000, "\x00", "é.é.é", "bnVsbA.bnVsbA.bnVsbA"],
)
def test_what_is_no_assertion_is_refused(client: LaboratoryClient, text: str) -> None:
    answer = ask(signed(text))

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("head", [{"alg": "none"}, {"alg": "HS384"}])
def test_neither_no_signature_nor_a_shared_secret_is_taken(
    client: LaboratoryClient, head: dict[str, Any]
) -> None:
    _header, claims, _signature = assertion("north-lis").split(".")
    forged = b64encode(json.dumps(head | {"kid": "ec-1"}).encode()).decode().rstrip("=")

    refused(ask(signed(f"{forged}.{claims}.")), 401, "invalid_client")


def test_an_assertion_may_be_for_several_if_we_are_among_them(client: LaboratoryClient) -> None:
    text = assertion("north-lis", audience=["https://x.example", AUDIENCE])

    assert ask(signed(text)).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        (with_secret("wrong"), 401, "invalid_client"),
        (with_secret("wrong", client_id="nobody"), 401, "invalid_client"),
        (with_secret("wrong", client_id="\x00"), 401, "invalid_client"),
        (with_secret("x", client_assertion="y"), 400, "invalid_request"),
        (signed("x") | {"client_assertion_type": "saml"}, 400, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=%FF&client_secret=%FF", 401, "invalid_client"),
    ],
)
def test_a_request_that_is_not_right_is_refused(
    client: LaboratoryClient, form: Any, status: int, error: str
) -> None:
    refused(ask(form), status, error)


def test_a_form_in_json_is_refused(secret: str) -> None:
    answer = Client().post(
        "/oauth2/token", json.dumps(with_secret(secret)), content_type="application/json"
    )

    refused(answer, 400, "invalid_request")


def test_an_unknown_client_and_a_wrong_secret_are_refused_in_the_same_words(secret: str) -> None:
    unknown = ask(with_secret(secret, client_id="nobody"))
    wrong = ask(with_secret("sns_wrong"))

    assert unknown.content == wrong.content


def test_a_client_that_is_revoked_is_out_at_once(secret: str) -> None:
    token = ask(with_secret(secret)).json()["access_token"]

    revoke_client(name="north-lis", **BY)

    assert push(token).status_code == 401
    refused(ask(with_secret(secret)), 401, "invalid_client")
    refused(ask(signed(assertion("north-lis"))), 401, "invalid_client")


def test_a_laboratory_that_is_not_active_is_out_at_once(
    laboratory: Laboratory, secret: str
) -> None:
    token = ask(with_secret(secret)).json()["access_token"]
    Laboratory.objects.update(is_active=False)

    assert push(token).status_code == 401
    refused(ask(with_secret(secret)), 401, "invalid_client")


# Change-over


def test_two_secrets_live_and_one_may_go(secret: str) -> None:
    second = issue_secret(name="north-lis", **BY)
    with pytest.raises(NoPlaceForSecret):
        issue_secret(name="north-lis", **BY)
    assert [ask(with_secret(each)).status_code for each in (secret, second)] == [200, 200]
    # What is shown of a secret to tell it from the other is its first 8 characters
    revoke_secret(name="north-lis", beginning=secret[:8], **BY)

    assert [ask(with_secret(each)).status_code for each in (secret, second)] == [401, 200]


def test_a_laboratory_has_its_share_of_requests_also_here(
    laboratory: Laboratory, secret: str
) -> None:
    Laboratory.objects.update(pushes_per_minute=1)
    ask(with_secret(secret))

    answer = ask(with_secret(secret))

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60


# Keys at an address


@pytest.fixture
def published(laboratory: Laboratory, settings: LazySettings) -> Any:
    add_client(laboratory=laboratory, name="north-lis", scopes="cur", **BY)
    held: dict[str, Any] = public(EC)
    with key_server(lambda: held) as (origin, asked):
        settings.JWKS_ALLOWED_ORIGINS = [origin]
        set_keys(name="north-lis", jwks_url=f"{origin}/jwks.json", **BY)
        yield held, asked


def test_keys_are_fetched_from_the_address_and_kept_for_a_while(published: Any) -> None:
    _held, asked = published

    answers = [ask(signed(assertion("north-lis"))) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert asked == ["/jwks.json"]


def test_a_key_that_is_not_in_the_set_is_not_asked_for_again_and_again(published: Any) -> None:
    _held, asked = published

    for _ in range(5):
        refused(ask(signed(assertion("north-lis", key=RSA))), 401, "invalid_client")

    assert asked == ["/jwks.json"]


def test_a_new_key_is_found_without_anybody_here(
    published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, asked = published
    ask(signed(assertion("north-lis")))
    held["keys"] += public(RSA)["keys"]
    monkeypatch.setattr("monitoring.oauth2.published_keys.ASKED_AGAIN_AFTER", timedelta(0))

    assert ask(signed(assertion("north-lis", key=RSA))).status_code == 200
    assert ask(signed(assertion("north-lis", key=EC))).status_code == 200
    assert len(asked) == 2


def test_jku_may_name_the_registered_address(published: Any) -> None:
    url = LaboratoryClient.objects.get().jwks_url

    assert ask(signed(assertion("north-lis", header={"jku": url}))).status_code == 200


def test_a_key_server_that_is_away_is_a_refusal(
    laboratory: Laboratory, settings: LazySettings
) -> None:
    add_client(laboratory=laboratory, name="north-lis", scopes="cur", **BY)
    with key_server(public(EC)) as (origin, _asked):
        pass
    settings.JWKS_ALLOWED_ORIGINS = [origin]
    set_keys(name="north-lis", jwks_url=f"{origin}/jwks.json", **BY)

    refused(ask(signed(assertion("north-lis"))), 401, "invalid_client")


# What clients read to find all this


def test_the_configuration_is_true(secret: str) -> None:
    answer = Client().get("/fhir/.well-known/smart-configuration")

    said = answer.json()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/json")
    assert said["token_endpoint"] == AUDIENCE
    ways = {
        "private_key_jwt": (signed(assertion("north-lis")), {}),
        "client_secret_post": (with_secret(secret), {}),
        "client_secret_basic": (
            {"grant_type": "client_credentials"},
            {"Authorization": basic("north-lis", secret)},
        ),
    }
    assert set(said["token_endpoint_auth_methods_supported"]) == set(ways)
    for form, headers in ways.values():
        assert ask(form, **headers).status_code == 200
    for algorithm in said["token_endpoint_auth_signing_alg_values_supported"]:
        key: RSAKey | ECKey = RSA if algorithm == "RS384" else EC
        assert ask(signed(assertion("north-lis", key=key))).status_code == 200
    for scope in said["scopes_supported"]:
        assert ask(with_secret(secret, scope=scope)).json()["scope"] == scope
    for grant in said["grant_types_supported"]:
        assert ask(with_secret(secret, grant_type=grant)).status_code == 200
    assert "authorization_endpoint" not in said


def test_a_form_of_a_thousand_thousand_fields_is_refused_as_oauth_refuses(
    client: LaboratoryClient,
) -> None:
    answer = Client().generic(
        "POST",
        "/oauth2/token",
        b"a=b&" * 100_000,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
