"""The unmodified client of OpenCV Face Recognition, opencv-face-recognition: python opencv_fr.py LIVE NO_FACE

LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token: the developer key.
"""

import json
import os
import sys

from opencv.fr import FR, APIError
from opencv.fr.api_error import APIDataValidationError
from opencv.fr.liveness.schemas import DeviceType, LivenessRequest

live, no_face = sys.argv[1:]
url = os.environ["LIFESIGN_URL"]
sdk = FR(url, os.environ["LIFESIGN_TOKEN"])
answer = {
    "desktop": sdk.liveness.check_liveness(LivenessRequest(live)).score,
    "ios": sdk.liveness.check_liveness(LivenessRequest(live, DeviceType.IOS)).score,
}


def error(sdk, image):
    try:
        sdk.liveness.check_liveness(LivenessRequest(image))
    except APIError as error:
        return {"status": error.http_status_code, "code": error.err_code, "message": error.messsage}
    except APIDataValidationError as error:
        return {"details": error.details}


answer["no_face"] = error(sdk, no_face)
answer["no_key"] = error(FR(url, "not a key"), live)
print(json.dumps(answer))
