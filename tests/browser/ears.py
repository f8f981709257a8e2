"""What a screen reader has to go by: what live regions say, where the focus is, and what stands in the browser's accessibility tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Frame, Locator, Page

QUIET_MS = 1_500
_STEP_MS = 100

# Runs in every document before its own scripts: tells what live regions say, also those in shadow trees, in the order in which it comes.
_LISTEN = """
(() => {
  const live = "[aria-live], [role=alert], [role=status], [role=log]";
  const observer = new MutationObserver((changes) => {
    const regions = new Set(changes.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(live)));
    for (const region of regions) {
      const text = region?.textContent.trim().replace(/\\s+/g, " ");
      const urgent = region?.getAttribute("role") === "alert" || region?.ariaLive === "assertive";
      if (text) window.__heard(JSON.stringify([urgent, text]));
    }
  });
  const listen = (root) => observer.observe(root, { childList: true, subtree: true, characterData: true });
  listen(document);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (how) { const root = attach.call(this, how); listen(root); return root; };
})();
"""
_IN_FRAME = "() => document.activeElement?.shadowRoot?.activeElement?.localName === 'iframe'"
_MARK = "data-ears"
_CONTAINERS = {
    "RootWebArea": "page",
    "main": "main part",
    "navigation": "navigation",
    "banner": "header",
    "region": "region",
    "form": "form",
    "group": "group",
    "dialog": "dialog",
    "article": "article",
}
_CONTROLS = {
    "button": "button",
    "link": "link",
    "textbox": "text box",
    "radio": "radio button",
    "checkbox": "check box",
    "DisclosureTriangle": "button",
    "Iframe": "frame",
}


@dataclass(frozen=True)
class Said:
    """What a live region said; urgent: in the middle of whatever is being read."""

    urgent: bool
    text: str


@dataclass(frozen=True)
class Thing:
    """A thing in the accessibility tree."""

    role: str
    name: str
    description: str
    value: str
    state: Mapping[str, Any]
    parts: tuple[Thing, ...]

    @property
    def is_control(self) -> bool:
        """Whether one can act on it."""
        return self.role in _CONTROLS

    @property
    def spoken(self) -> str:
        """Name, role, states and description, as a screen reader says them one after the other."""
        role = _CONTROLS.get(self.role) or _CONTAINERS.get(self.role) or self.role
        parts = (self.name or "(no name)" * self.is_control, role, *self._states(), self.description)
        return ", ".join(part.rstrip(".") for part in parts if part)

    def all(self) -> Iterator[Thing]:
        """It and what is in it."""
        yield self
        for part in self.parts:
            yield from part.all()

    def _states(self) -> Iterator[str]:
        if self.role == "textbox" and self.value:
            yield f"with “{self.value}” in it"
        for name, yes, no in (("checked", "chosen", "not chosen"), ("pressed", "pressed", "not pressed"), ("expanded", "open", "closed")):
            if name in self.state:
                yield yes if self.state[name] in (True, "true") else no
        for name, word in (("disabled", "not available"), ("required", "required"), ("invalid", "not right yet")):
            if self.state.get(name) in (True, "true"):
                yield word


@dataclass
class Ears:
    """Listens to one page and to the chat on it."""

    page: Page
    said: list[Said]
    _session: CDPSession = field(init=False)

    def __post_init__(self) -> None:
        self._session = self.page.context.new_cdp_session(self.page)
        self._session.send("Accessibility.enable")

    def settle(self) -> None:
        """Wait until nothing more is said."""
        quiet, known = 0, len(self.said)
        while quiet < QUIET_MS:
            self.page.wait_for_timeout(_STEP_MS)
            quiet, known = (quiet + _STEP_MS, known) if len(self.said) == known else (0, len(self.said))

    def focused(self, panel: Frame | None) -> list[Thing]:
        """What has the focus, behind the things with a name that it stands in; the page alone where the focus is lost."""
        around = self._tree(self.page.main_frame)
        if not panel or not self.page.evaluate(_IN_FRAME):
            return _path_to_focus(around)
        return [*(thing for thing in around.all() if thing.role == "Iframe"), *_path_to_focus(self._tree(panel))]

    def thing(self, place: Locator) -> Thing:
        """What stands at this place."""
        element = place.element_handle()
        frame = element.owner_frame() or self.page.main_frame
        element.evaluate(f"(element) => element.setAttribute('{_MARK}', '')")
        node = _marked(self._session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"])
        element.evaluate(f"(element) => element.removeAttribute('{_MARK}')")
        found = self._tree(frame, node)
        return found.parts[0] if len(found.parts) == 1 else found

    def _tree(self, frame: Frame, element: int = 0) -> Thing:
        """What the tree has for an element of a document, or for the whole of it."""
        frames = self._session.send("Page.getFrameTree")["frameTree"]
        identity = next(each["id"] for each in _frames(frames) if each["url"] == frame.url)
        nodes = self._session.send("Accessibility.getFullAXTree", {"frameId": identity})["nodes"]
        top = next(node["nodeId"] for node in nodes if element in (0, node.get("backendDOMNodeId")))
        return Thing("generic", "", "", "", {}, tuple(_things(top, {node["nodeId"]: node for node in nodes})))


def listen(context: BrowserContext) -> list[Said]:
    """Listen to everything that is opened from now on; what is said is added to the list."""
    said: list[Said] = []
    context.expose_binding("__heard", lambda _source, told: said.append(Said(*json.loads(told))))
    context.add_init_script(_LISTEN)
    return said


def lines(thing: Thing, depth: int = 0) -> Iterator[str]:
    """What is read of a thing from its beginning to its end, a line for each stop; what stands in something that has a name is moved in."""
    if thing.role in ("heading", "paragraph", "StaticText"):
        level = f"heading {thing.state['level']}: " if thing.role == "heading" else ""
        yield "  " * depth + level + flowing(thing)
    elif thing.is_control and thing.role != "Iframe":
        yield "  " * depth + thing.spoken
    elif thing.role != "Legend":
        said = _opening(thing)
        if said:
            yield "  " * depth + said
        # A label is said with what it belongs to, and only that stands in it.
        for part in thing.parts:
            if thing.role != "LabelText" or part.is_control:
                yield from lines(part, depth + 1 if said else depth)


def flowing(thing: Thing) -> str:
    """The words of a heading or a paragraph in one go, with a word for each link in it."""
    if thing.role == "StaticText":
        return thing.name
    if thing.is_control:
        return f"{thing.name} ({_CONTROLS[thing.role]})"
    text = " ".join(flowing(part).strip() for part in thing.parts)
    return re.sub(r" (?=[.,:;!?])", "", re.sub(r"\s+", " ", text)).strip()


def _opening(thing: Thing) -> str:
    """What is said before that which stands in it; empty where it is only a box."""
    if thing.role == "list":
        return f"list of {sum(part.role == 'listitem' for part in thing.parts)}"
    return thing.spoken if thing.role in _CONTAINERS and (thing.name or thing.role in ("main", "banner")) else ""


def _path_to_focus(thing: Thing) -> list[Thing]:
    for part in thing.parts:
        path = _path_to_focus(part)
        if path:
            return [thing, *path] if thing.name else path
    return [thing] if thing.state.get("focused") else []


def _things(identity: str, nodes: Mapping[str, Mapping[str, Any]]) -> list[Thing]:
    """The thing with its parts; of one that the tree leaves out, the parts alone."""
    node = nodes[identity]
    inside = [child for child in node.get("childIds", ()) if child in nodes]
    parts = [thing for child in inside for thing in _things(child, nodes)]
    if node.get("ignored"):
        return parts
    role = node["role"]["value"]
    if role == "InlineTextBox":
        return []
    state = {each["name"]: each["value"].get("value") for each in node.get("properties", ())}
    name, description, value = (str(node.get(text, {}).get("value", "")) for text in ("name", "description", "value"))
    return [Thing(role, name, description, value, state, tuple(parts))]


def _frames(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)


def _marked(node: Mapping[str, Any]) -> int:
    """The identity of the element that is marked; 0 where none is."""
    if _MARK in node.get("attributes", ())[::2]:
        return int(node["backendNodeId"])
    inside = [*node.get("children", ()), *node.get("shadowRoots", ()), *([node["contentDocument"]] if "contentDocument" in node else [])]
    return next((found for found in map(_marked, inside) if found), 0)
