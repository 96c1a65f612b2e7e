"""Verifies a receipt with PyJWT and the published keys alone: python receipt.py IMAGE

LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token.
"""

import base64
import hashlib
import json
import os
import sys

import jwt
import requests

url = os.environ["LIFESIGN_URL"]
with open(sys.argv[1], "rb") as file:
    photograph = file.read()

response = requests.post(
    url + "/v2/face-recognition/liveness",
    headers={"Authorization": "Bearer " + os.environ["LIFESIGN_TOKEN"]},
    json={"os": "DESKTOP", "image": base64.b64encode(photograph).decode()},
    timeout=60,
)
response.raise_for_status()
answer = response.json()
receipt = answer["signature"]["receipt"]

# From here on nothing of Lifesign is trusted but its public keys.
assert jwt.get_unverified_header(receipt)["typ"] == "lifesign-receipt+jwt"
key = jwt.PyJWKClient(url + "/.well-known/jwks.json").get_signing_key_from_jwt(receipt)
statement = jwt.decode(receipt, key, algorithms=["EdDSA"])
assert statement["jti"] == answer["id"]
assert statement["image_sha256"] == hashlib.sha256(photograph).hexdigest()

head, payload, signature = receipt.split(".")
forged = jwt.utils.base64url_encode(
    json.dumps({**statement, "passed": not statement["passed"]}).encode()
).decode()
try:
    jwt.decode(f"{head}.{forged}.{signature}", key, algorithms=["EdDSA"])
    sys.exit("a forged receipt was taken for a good one")
except jwt.InvalidSignatureError:
    pass
print(json.dumps(statement))
