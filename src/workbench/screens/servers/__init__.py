"""Panes of the dev server: its log and its acts (`pane`), requests that are sent to it (`requests`), what happened in each (`traces`)."""

from workbench.screens.pane import Locator

DEV_SERVER = Locator("server", "own", label="dev server")
REQUESTS = Locator("requests", "own", label="requests")
TRACES = Locator("traces", "own", label="traces")
