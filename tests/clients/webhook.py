"""A client's server that takes webhooks, verified with the library standardwebhooks: python webhook.py

LIFESIGN_WEBHOOK_SECRET_FILE names a file with what `lifesign webhook add` printed. Prints its address,
then each event.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        with open(os.environ["LIFESIGN_WEBHOOK_SECRET_FILE"]) as file:
            webhook = Webhook(file.read().strip())
        try:
            webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError as error:
            self.send_response(400, str(error))
        else:
            print(body, flush=True)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Hook)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
