"""R2: multipart uploads that were begun and never completed."""

from typing import Annotated

from workbench.model.errors import WorkbenchError
from workbench.model.page import Page
from workbench.model.r2 import R2Upload
from workbench.model.state import Removal

from . import DESTROYS, READS, operation
from .parameters import Bucket, DryRun, Param
from .resolve import State

UploadId = Annotated[str, Param("the upload's id", positional=True, metavar="UPLOAD_ID")]


@operation("r2.uploads.list", effect=READS, examples=["cfwb r2 uploads list --bucket files"], capability="r2")
async def list_uploads(state: State, bucket: Bucket = None) -> Page[R2Upload]:
    """Multipart uploads that were begun and neither completed nor aborted."""
    return await state.backend.r2.uploads(await state.bucket(bucket))


@operation(
    "r2.uploads.delete",
    effect=DESTROYS,
    examples=["cfwb r2 uploads delete UPLOAD_ID --bucket files --force"],
    capability="r2",
)
async def delete_upload(
    state: State, upload_id: UploadId, bucket: Bucket = None, dry_run: DryRun = False
) -> Removal:
    """Abort an unfinished upload: its parts go."""
    name = await state.bucket(bucket)
    for upload in (await state.backend.r2.uploads(name)).items:
        if upload.upload_id == upload_id:
            if not dry_run:
                await state.backend.r2.abort_upload(name, upload.key, upload_id)
            return Removal(
                [f"upload of {upload.key}, {upload.parts} parts, {upload.size:,} bytes"], 1, dry_run
            )
    raise WorkbenchError(
        "r2.upload_not_found", f"no unfinished upload {upload_id!r}", "cfwb r2 uploads list shows them"
    )
