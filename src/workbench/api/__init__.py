"""`cfwb serve`: the state directory over HTTP, as the emulator's Local Explorer and the account API speak.

A thin face: every answer comes from an operation, run through the executor in a thread, so that the event loop never waits for a
disk. Three layers, each in one reading:

- the process: `server` (socket, signals), `token` (the secret and its file), `door` (who may ask what), `peer` (whose socket it is);
- the machine: `app` (one request from socket to socket), `body` (what comes in, in pieces), `call` (what a handler works with), `routes`,
  `checks` and `inputs` (what a request must look like), `replies`, `errors`, `opened` (the project, read again when its config changes);
- the routes: `kv`, `kv_bulk`, `r2`, `d1`, `d1_transfer`, `durable_objects`, `rooms` (facets and storage), `workflows`, `workers`,
  `traces`, `lacking`, and `generic`, which answers for every operation there is. `openapi` describes them all, `differences` lists
  where the original answers otherwise.

May import operations/, model/ and below. Starlette and uvicorn are imported here and in hub/ only.
"""
