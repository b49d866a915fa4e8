"""The Cloudflare API's shape over HTTP: the deployed account, and a live dev server's mirror of it at `/cdn-cgi/explorer/api`.

`api` asks (one httpx client for both sides, on the event loop of `portal`), `refusals` turns its errors into ours, `budget` and
`repeating` decide when; `credentials` and `accounts` say as whom. A module a product, each a class on an `Api`; `offers` is the table of
what each side has and where their answers differ. `remote` and `live` are the two backends. May import model/, and what is
SQL's own of local/. Imported only where a command or a pane asks for one of the two: httpx and asyncio cost more than most commands.
"""
