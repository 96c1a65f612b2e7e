"""Puts a real photograph into every second liveness request, so that answers with a score are
compared with their description as well."""

import base64
import os
import zlib

import schemathesis

with open(os.environ["LIFESIGN_PHOTOGRAPH"], "rb") as file:
    PHOTOGRAPH = base64.b64encode(file.read()).decode()


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if "liveness" not in case.operation.path or not isinstance(body, dict):
        return
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    # By the case and not by chance: the same seed makes the same run.
    if zlib.crc32(repr(sorted(body.items())).encode()) % 2:
        case.body = {**body, "image": PHOTOGRAPH}
