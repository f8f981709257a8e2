"""The clinic's web site, on a port of its own, with the chat's snippet as the demo page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from jinja2 import Environment

from tests.browser.words import NUMBER, ROOT, TEL

KEY = "demo"
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="{style}">
  </head>
  <body>
    <main>
      <h1>{title}</h1>
      <p>Some words of the clinic. <a href="/visits">Visits</a></p>
    </main>
    {snippet}
  </body>
</html>
"""
BARE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bare</title></head><body>{body}</body></html>"""
STYLE = "body { font: 18px/1.5 sans-serif; margin: 2rem; min-height: 120vh; } a { color: #00478c; display: inline-block; padding: 12px; }"


def snippet(gateway: str, attributes: str = "") -> str:
    """The lines that a clinic copies from the demo page."""
    page = (ROOT / "widget" / "pages" / "demo.html").read_text(encoding="utf-8")
    start, end = page.index("<script src="), page.index("</noscript>") + len("</noscript>")
    head = page[: page.index("<!doctype html>")]
    contacts = [{"id": name, "number": number, "href": TEL[name]} for name, number in NUMBER.items()]
    made = Environment(autoescape=True).from_string(head + page[start:end]).render(
        script=f"{gateway}/aftercare.js", key=KEY, panel_url=f"{gateway}/panel/{KEY}", contacts=contacts
    )  # fmt: skip
    return made.strip().replace(" defer>", f" {attributes} defer>") if attributes else made.strip()


class Site:
    """A web site. Its pages have a strict policy that allows nothing but what the chat's documentation asks for.

    Attributes:
        origin: its address, which browsers take for the same site as the gateway's, though another origin.
        origin_of_another_site: its other address, where browsers refuse storage to the gateway's frame.
    """

    def __init__(self) -> None:
        self.gateway = ""
        self._files: dict[str, tuple[str, str, str]] = {
            "/favicon.ico": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", "default-src 'none'")
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.origin_of_another_site = f"http://localhost:{self._server.server_port}"

    def show_chat_of(self, gateway: str) -> None:
        """Put the chat of this gateway on the pages."""
        self.gateway = gateway
        self.add_page("/")
        self.add_page("/visits", title="Visits")
        self.add_page("/spanish", attributes='data-lang="es"')
        self.add_page("/left", attributes='data-position="left"')
        self.add_page("/plain", with_chat=False)

    def add_page(
        self,
        path: str,
        *,
        title: str = "After your procedure",
        attributes: str = "",
        style: str = "",
        with_chat: bool = True,
        strict: bool = True,
    ) -> None:
        """Add a page with its own style sheet, and a strict policy unless it is to have none."""
        name = f"{path.rstrip('/')}/style.css"
        policy = f"default-src 'none'; script-src {self.gateway}; frame-src {self.gateway}; style-src 'self'; img-src 'self'"
        page = PAGE.format(title=title, style=name, snippet=snippet(self.gateway, attributes) if with_chat else "")
        self._files[path] = ("text/html", page, policy if strict else "")
        self._files[name] = ("text/css", STYLE + style, "default-src 'none'")

    def add_file(self, path: str, kind: str, text: str, policy: str = "") -> None:
        """Add a file as it is, with a policy if it is to have one."""
        self._files[path] = (kind, text, policy)

    @property
    def policy(self) -> str:
        """What the documents ask of a page, and the page's own scripts and styles."""
        return f"default-src 'none'; script-src 'self' {self.gateway}; frame-src {self.gateway}; style-src 'self'; img-src 'self'"

    def tag(self, key: str = KEY) -> str:
        """The script tag alone."""
        return f'<script src="{self.gateway}/aftercare.js" data-key="{key}" defer></script>'

    def add_bare_page(self, path: str, body: str, policy: str) -> None:
        """Add a page that has nothing but this body."""
        self.add_file(path, "text/html", BARE.format(body=body), policy)

    @contextmanager
    def running(self) -> Iterator[Site]:
        """Serve the pages."""
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self._files

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = files.get(self.path.partition("?")[0])
                kind, text, policy = found or ("text/plain", "", "default-src 'none'")
                body = text.encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                if policy:
                    self.send_header("Content-Security-Policy", policy)
                self.send_header("Cache-Control", "no-store")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
