"""What must never be seen: kept in an object that shows itself nowhere, and taken out of texts and of children's environments."""

from collections.abc import Iterable, Mapping

MASK = "••••••"
VARIABLES = (
    "CLOUDFLARE_API_TOKEN",
    "CF_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CF_API_KEY",
    "CLOUDFLARE_ACCESS_CLIENT_SECRET",
    "WRANGLER_CF_AUTHORIZATION_TOKEN",
    "WRANGLER_R2_SQL_AUTH_TOKEN",
    "R2_SECRET_ACCESS_KEY",
    "R2_ACCESS_KEY_ID",
)
"""Environment variables that hold credentials of Cloudflare's."""


class Secret:
    """A text that `str`, `repr`, formatting, pickling and copying do not give away; `reveal` does."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the header it goes into."""
        return self.__text

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


def without(text: str, secrets: Iterable[Secret]) -> str:
    """A text (of an error, of an answer) with the secrets masked, should one be in it."""
    for secret in secrets:
        shown = secret.reveal()
        if len(shown) > 3:
            text = text.replace(shown, MASK)
    return text


def for_children(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that a program we start may have: without Cloudflare's credentials."""
    return {name: value for name, value in environment.items() if name not in VARIABLES}
