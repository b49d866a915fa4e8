"""The pane of a Workflow: its instances, and one of them with its steps as a timeline.

`reading.py` turns what the backend says into lines, `instance.py` shows one instance, `pane.py` is the pane.
"""

from .pane import WorkflowPane

__all__ = ["WorkflowPane"]
