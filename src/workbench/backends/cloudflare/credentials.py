"""As whom we ask: a token, a key with its e-mail, or the login that wrangler keeps. Found in that order.

Nothing here is printed, logged or put into a message: `Secret` sees to it. Names: wrangler's and the API's documents; what
`.env` files of a project say does not count, since a project comes from anywhere.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from workbench.model.errors import WorkbenchError
from workbench.model.secrets import Secret, without

from .wrangler_login import Login, login_file, read_login

Kind = Literal["token", "key", "login"]
Exchange = Callable[[str, dict[str, str]], Awaitable[tuple[int, Any]]]
"""Posts a form to a URL; the status and the JSON."""

_HINT = "set CLOUDFLARE_API_TOKEN (or CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL), or log in with: npx wrangler login"


class Credentials(NamedTuple):
    """source: the variable or file they are from. email: of a key. login: where wrangler keeps it."""

    kind: Kind
    source: str
    secret: Secret
    email: str = ""
    login: Login | None = None

    def headers(self) -> dict[str, str]:
        """What a request carries. The only place where the secret leaves its object."""
        if self.kind == "key":
            return {"X-Auth-Email": self.email, "X-Auth-Key": self.secret.reveal()}
        return {"Authorization": f"Bearer {self.secret.reveal()}"}

    def masked(self, text: str) -> str:
        """A text without the secrets, should it quote them."""
        return without(text, [self.secret, *([self.login.refresh_token] if self.login else [])])

    @property
    def expired(self) -> bool:
        """Whether they have to be renewed before the next request."""
        return self.login is not None and self.login.expired

    async def renewed(self, exchange: Exchange, *, refused: bool = False) -> "Credentials":
        """Fresh ones of the same login, written where wrangler keeps them. refused: the API did not take the ones there are,
        so they are renewed also before their time. Raises `remote.login_expired`."""
        from .wrangler_login import renew

        if self.login is None:
            return self
        login = await renew(self.login, exchange, refused=refused)
        return self._replace(secret=login.token, login=login)


def find(environment: Mapping[str, str] | None = None, folder: str = ".") -> Credentials:
    """The credentials of whoever runs this. folder: wrangler binds profiles to folders. Raises `remote.no_credentials`."""
    env = os.environ if environment is None else environment

    def variable(name: str) -> tuple[str, str]:
        for spelled in (name, name.replace("CLOUDFLARE_", "CF_")):
            if value := env.get(spelled, "").strip():
                return spelled, value
        return name, ""

    source, token = variable("CLOUDFLARE_API_TOKEN")
    if token:
        return Credentials("token", source, _sendable(source, token))
    source, key = variable("CLOUDFLARE_API_KEY")
    if key:
        email = variable("CLOUDFLARE_EMAIL")[1]
        if not email:
            raise WorkbenchError(
                "remote.no_credentials",
                f"{source} is set and CLOUDFLARE_EMAIL is not",
                "a key goes with its e-mail",
            )
        return Credentials("key", source, _sendable(source, key), email)
    path = login_file(env, folder)
    login = read_login(path, env)
    if login is None:
        raise WorkbenchError(
            "remote.no_credentials", "there are no credentials for the deployed account", _HINT
        )
    return Credentials("login", path, login.token, login=login)


def _sendable(source: str, text: str) -> Secret:
    """A value that a header can carry; one that cannot is named, never shown."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise WorkbenchError(
            "remote.no_credentials", f"{source} holds characters that no credential has", _HINT
        )
    return Secret(text)
