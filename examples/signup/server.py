"""A sign-up page with a liveness step, with the standard library alone: LIFESIGN_TOKEN=… python3 server.py"""

import base64
import json
import os
import secrets
import urllib.error
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LIFESIGN = os.environ.get("LIFESIGN_URL", "http://127.0.0.1:8080")
TOKEN = os.environ["LIFESIGN_TOKEN"]  # the API token stays here and never goes to a browser
PORT = int(os.environ.get("PORT", "3000"))
SITE = os.environ.get("SITE_URL", f"http://localhost:{PORT}")  # where browsers reach this program
FORM = '<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label> <button>Sign up</button></form>'
PAGE = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Shop</title><h1>Shop</h1><div>{}</div>'

# A real site has a database in place of these two.
signups = {}  # the visitor's secret cookie -> what was asked for, and with which capture session
accounts = {}


def lifesign(method, path, body=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(LIFESIGN + path, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)["data"]


def stated(receipt):
    """What the receipt states. It came straight from the service; whoever gets it at second hand verifies its signature."""
    payload = receipt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"/": lambda: self.page(200, FORM), "/done": self.done})

    def do_POST(self):
        self.answer({"/signup": self.sign_up})

    def answer(self, routes):
        try:
            routes.get(urlsplit(self.path).path, lambda: self.page(404, "There is no such page."))()
        except urllib.error.URLError as error:
            self.log_error("Lifesign: %s", error)
            self.page(502, "Something went wrong. Please try again.")

    def sign_up(self):
        form = parse_qs(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 10_000)).decode())
        if "email" not in form:
            return self.page(400, "An e-mail address is needed.")
        capture = lifesign("POST", "/v1/capture-sessions", {"return_url": f"{SITE}/done"})
        cookie = secrets.token_urlsafe()
        signups[cookie] = {"email": form["email"][0], "capture": capture["id"], "nonce": capture["nonce"]}
        secure = "; Secure" if SITE.startswith("https:") else ""
        self.send_response(303)
        self.send_header("Set-Cookie", f"signup={cookie}; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600{secure}")
        self.send_header("Location", capture["url"])
        self.end_headers()

    def done(self):
        # Which session it is, this visitor's own cookie says. The address may say anything: whoever comes can write there what they like.
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("signup")
        signup = signups.get(cookie and cookie.value)
        if not signup:
            return self.page(400, "Please begin at the start.")
        capture = lifesign("GET", f"/v1/capture-sessions/{signup['capture']}")
        if capture["status"] == "open":
            return self.page(409, "The photo has not been taken yet.")
        signups.pop(cookie.value, None)  # one session is good for one account
        receipt = stated(capture["receipt"]) if capture["receipt"] else {}
        live = capture["passed"] is True and receipt.get("passed") is True
        if not (live and receipt["capture_session"] == signup["capture"] and receipt["nonce"] == signup["nonce"]):
            return self.page(403, "Your account was not created: the photo check was not passed.")
        accounts[signup["email"]] = {"receipt": capture["receipt"]}  # the receipt shows later what was checked
        self.page(200, "Your account was created.")

    def page(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.format(content).encode())


print(f"Shop at {SITE}", flush=True)
ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
