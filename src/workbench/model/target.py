"""What is touched: the local state or an account. Part of every output."""

from typing import Literal, NamedTuple


class Target(NamedTuple):
    """`local:<state directory>` or `remote:<account id>`. via: the address of the dev server that answered or wrote, or ""."""

    kind: Literal["local", "remote"]
    source: str
    via: str = ""


class Capability(NamedTuple):
    """Whether a backend can do a thing; where it can't, `why_not` is one sentence for the user."""

    available: bool
    why_not: str = ""
