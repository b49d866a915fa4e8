"""Panes of the dev server: its log and its acts (`pane`), requests that are sent to it (`requests`), what happened in each (`traces`)."""
