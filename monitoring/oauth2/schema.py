"""The shapes of the token endpoint, as the OpenAPI document tells them."""

from typing import Literal

from pydantic import BaseModel, Field

DESCRIPTION = (
    "OAuth 2.0 client credentials, as SMART Backend Services has them. A client proves itself by "
    "a signed assertion (RS384 or ES384; iss and sub its client id, aud this address, exp at most "
    "five minutes ahead, jti never used before), or by a secret, as HTTP Basic or in the form. The "
    "token is shown as `Authorization: Bearer TOKEN`."
)


class TokenRequest(BaseModel):
    """What a client sends."""

    grant_type: Literal["client_credentials"]
    scope: str = Field("", description="Without it: everything that the client may do.")
    client_id: str = ""
    client_secret: str = ""
    client_assertion_type: str = Field(
        "", examples=["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    )
    client_assertion: str = Field("", description="The signed JWT.")


class TokenAnswer(BaseModel):
    """What a client is given."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.", examples=[300])
    scope: str = Field(description="What was granted.", examples=["system/Observation.cru"])


class TokenRefusal(BaseModel):
    """Why it is given none, in the words of RFC 6749."""

    error: Literal[
        "invalid_request",
        "invalid_client",
        "invalid_scope",
        "unsupported_grant_type",
        "slow_down",
        "temporarily_unavailable",
    ]
    error_description: str
