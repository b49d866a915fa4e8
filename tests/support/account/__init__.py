"""A STAND-IN for the deployed account: no part of Cloudflare, and it says so in every answer (`X-Stand-In`).

It puts the real emulator's Explorer API behind the account API's paths (`/client/v4/accounts/<id>/...`), and makes up in the documented
shapes what the Explorer lacks: tokens, page numbers, bulk writes, metadata by key, import and export, queues, deployments, the live log.
`faults` lets a test have the next answers be 429, 5xx, slow or cut off.
"""

from .server import ACCOUNT, ACCOUNT_TOKEN, OTHER_ACCOUNT, TOKEN, StandIn

__all__ = ["ACCOUNT", "ACCOUNT_TOKEN", "OTHER_ACCOUNT", "TOKEN", "StandIn"]
