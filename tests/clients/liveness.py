"""Python with `requests`: python liveness.py IMAGE

LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token.
"""

import base64
import json
import os
import sys

import requests

with open(sys.argv[1], "rb") as file:
    image = base64.b64encode(file.read()).decode()

response = requests.post(
    os.environ["LIFESIGN_URL"] + "/v2/face-recognition/liveness",
    headers={"Accept": "application/json", "Authorization": "Bearer " + os.environ["LIFESIGN_TOKEN"]},
    json={"os": "DESKTOP", "image": image, "liveness_min_score": 0.6},
    timeout=60,
)
print(json.dumps(response.json()))
sys.exit(0 if response.ok else 1)
