"""The operators' commands about systems that sign in for themselves."""

import json
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from monitoring import redis
from patients.models import (
    Audit,
    Laboratory,
    LaboratoryCertificate,
    LaboratoryClient,
    LaboratoryKey,
)
from tests.monitoring.clients import EC, RSA, ask, assertion, public, signed
from tests.monitoring.test_commands import ME, _run

pytestmark = pytest.mark.django_db
ADD = ("add_client", "north-lis", "--laboratory", "North laboratory")


@pytest.fixture(autouse=True)
def _there_is_a_laboratory(laboratory: Laboratory) -> None:
    redis.ask(lambda line: line.flushdb())


def _file(folder: Path, text: str) -> str:
    path = folder / "jwks.json"
    path.write_text(text)
    return str(path)


def _sign_in(secret: str) -> int:
    form = {
        "grant_type": "client_credentials",
        "client_id": "north-lis",
        "client_secret": secret,
    }
    status: int = ask(form).status_code
    return status


def test_a_client_with_a_secret_signs_in_until_it_is_revoked() -> None:
    *_words, secret = _run(*ADD, "--secret", "--scopes", "uc")
    assert LaboratoryClient.objects.get().scopes == "cu"
    assert _sign_in(secret) == 200

    _run("revoke_client", "north-lis")

    assert _sign_in(secret) == 401
    assert Audit.objects.get(verb="revoke_client").by == ME


def test_a_secret_is_changed_over() -> None:
    *_words, first = _run(*ADD, "--secret")
    *_words, second = _run("issue_client_secret", "north-lis")

    _run("revoke_client", "north-lis", "--secret", first[:8])

    assert (_sign_in(first), _sign_in(second)) == (401, 200)


def test_a_client_with_keys_in_a_file_signs_in_and_they_are_changed_over(tmp_path: Path) -> None:
    _run(*ADD, "--jwks", _file(tmp_path, json.dumps(public(EC))))
    assert ask(signed(assertion("north-lis", key=EC))).status_code == 200

    _run("set_client_keys", "north-lis", "--jwks", _file(tmp_path, json.dumps(public(RSA, EC))))

    assert ask(signed(assertion("north-lis", key=EC))).status_code == 200
    assert ask(signed(assertion("north-lis", key=RSA))).status_code == 200


def test_a_key_has_the_scopes_it_was_issued_with() -> None:
    _run("issue_key", "North laboratory")
    _run("issue_key", "North laboratory", "--scopes", "c")

    assert list(LaboratoryKey.objects.order_by("slot").values_list("scopes", flat=True)) == [
        "cur",
        "c",
    ]


def test_a_certificate_is_added_and_revoked() -> None:
    _run("add_certificate", "North laboratory", "--subject", "CN=lis")
    _run("revoke_certificate", "--subject", "CN=lis")

    assert LaboratoryCertificate.objects.get().revoked_by == ME


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ADD, "--secret", "--scopes", "x"), "letters c"),
        ((*ADD, "--secret", "--scopes", ""), "letters c"),
        ((*ADD, "--jwks-url", "http://keys.example/"), "https://"),
        ((*ADD, "--jwks-url", "nowhere"), "https://"),
        ((*ADD, "--jwks-url", "https://169.254.169.254/x"), "not a public one"),
        (("add_client", "a b", "--laboratory", "North laboratory", "--secret"), "3 to 64"),
        (("add_client", "lis-1", "--laboratory", "Nobody", "--secret"), "North laboratory"),
        (("issue_client_secret", "nobody"), "no live client"),
        (("set_client_keys", "nobody", "--jwks-url", "https://keys.example/"), "no live client"),
        (("revoke_client", "nobody"), "no live client"),
        (("revoke_client", "nobody", "--secret", "short"), "8 characters"),
        (("revoke_certificate", "--subject", "CN=x"), "No laboratory"),
        (("add_certificate", "North laboratory", "--subject", " "), "1 to 500"),
    ],
)
def test_a_refusal_is_a_sentence_and_changes_nothing(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        _run(*arguments)

    assert not LaboratoryClient.objects.exists()
    assert not LaboratoryCertificate.objects.exists()


def test_a_file_with_a_private_key_is_refused(tmp_path: Path) -> None:
    private = json.dumps({"keys": [EC.as_dict(private=True)]})

    with pytest.raises(CommandError, match="private key"):
        _run(*ADD, "--jwks", _file(tmp_path, private))

    assert not LaboratoryClient.objects.exists()


def test_a_name_is_used_once_for_ever() -> None:
    _run(*ADD, "--secret")
    _run("revoke_client", "north-lis")

    with pytest.raises(CommandError, match="another name"):
        _run(*ADD, "--secret")


def test_a_third_secret_is_refused() -> None:
    _run(*ADD, "--secret")
    _run("issue_client_secret", "north-lis")

    with pytest.raises(CommandError, match="two live secrets"):
        _run("issue_client_secret", "north-lis")
    with pytest.raises(CommandError, match="begins with"):
        _run("revoke_client", "north-lis", "--secret", "sns_nosuch")
