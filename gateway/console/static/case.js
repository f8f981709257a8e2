"use strict";
// A case's page goes on by itself: what is new appears, and what somebody writes, where they are and where they look stay.
(() => {
  const EVERY = 2_000, GIVE_UP = 8_000;
  const here = () => document.getElementById("case");
  const news = document.getElementById("news");
  if (!here()) return;
  if ("refused" in here().dataset) history.replaceState(null, "", `/console/cases/${here().dataset.number}`);

  // A part in which somebody writes or has chosen something is left as it is until they are done.
  const FIELDS = "textarea, select, input:not([type=hidden])";
  const changed = (field) => {
    if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected) && !untouched(field);
    return field.matches("[type=radio], [type=checkbox]") ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  };
  const untouched = (select) => ![...select.options].some((option) => option.defaultSelected) && select.selectedIndex === 0;
  const busy = (part) =>
    part.querySelector("[data-kept]") || [...part.querySelectorAll(FIELDS)].some((field) => field === document.activeElement || changed(field));

  const FOCUSABLE = "a[href], button, summary, input:not([type=hidden]), select, textarea";
  const name = (element) => element.getAttribute("href") ?? `${element.localName} ${element.form?.getAttribute("action") ?? ""} ${element.textContent}`;
  const swap = (part, fresh) => {
    const open = new Map([...part.querySelectorAll("details")].map((each) => [each.querySelector("summary").textContent, each.open]));
    for (const each of fresh.querySelectorAll("details")) each.open = open.get(each.querySelector("summary").textContent) ?? each.open;
    const focused = part.contains(document.activeElement) ? name(document.activeElement) : null;
    part.className = fresh.className;
    part.replaceChildren(...fresh.childNodes);
    if (focused === null) return;
    const again = [...part.querySelectorAll(FOCUSABLE)].find((each) => name(each) === focused) ?? part.querySelector("h1, h2, summary");
    if (!again) return;
    if (!again.matches(FOCUSABLE)) again.tabIndex = -1;
    again.focus({ preventScroll: true });
  };

  // What is looked at stays where it is on the screen, whatever grows above it.
  const anchor = () => {
    const active = document.activeElement;
    if (active && active !== document.body && here().contains(active)) return active;
    return [...here().querySelectorAll("[data-part]")].find((part) => part.getBoundingClientRect().bottom > innerHeight / 3) ?? here();
  };
  const holding = (change) => {
    const at = anchor(), before = at.getBoundingClientRect().top;
    change();
    const after = (at.isConnected ? at : document.activeElement).getBoundingClientRect().top;
    if (scrollY > 0 && at.isConnected) scrollBy(0, after - before);
  };

  const written = new Map([...here().querySelectorAll("[data-part]")].map((part) => [part.id, part.innerHTML]));
  let waiting = new Map();
  const settle = () => {
    for (const [id, fresh] of waiting) {
      const part = document.getElementById(id);
      if (part && busy(part)) continue;
      waiting.delete(id);
      if (part) swap(part, fresh);
    }
  };
  const show = () => press.later("case", () => {
    holding(settle);
    for (const field of document.querySelectorAll("input[name=seen]")) field.value = here().dataset.seen;
  });
  const take = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("case");
    if (!fresh) return;
    for (const part of fresh.querySelectorAll("[data-part]")) {
      if (written.get(part.id) === part.innerHTML) continue;
      written.set(part.id, part.innerHTML);
      waiting.set(part.id, document.adoptNode(part));
    }
    const before = { ...here().dataset };
    Object.assign(here().dataset, fresh.dataset);
    show();
    const fired = Number(fresh.dataset.alarms) > Number(before.alarms), wrote = Number(fresh.dataset.words) > Number(before.words);
    const opened = fresh.dataset.state === "open" && before.state !== "open";
    if (fired || wrote || opened) say([wrote && news.dataset.wrote, fired && news.dataset.fired, opened && news.dataset.opened]);
  };
  const say = (sentences) => {
    if (!news.textContent) news.classList.add("above");
    news.textContent = sentences.filter(Boolean).join(" ");
    press.later("news", () => news.classList.remove("above"));
  };

  const expire = () => {
    for (const button of document.querySelectorAll("[data-undo-until]")) if (Date.parse(button.dataset.undoUntil) <= Date.now()) button.closest("form").remove();
  };
  let asking = false;
  const ask = async () => {
    if (asking || document.hidden || document.body.classList.contains("locked")) return;
    asking = true;
    try {
      const address = `/console/cases/${here().dataset.number}/live?seen=${encodeURIComponent(here().dataset.shown)}`;
      const headers = { "HX-Request": "true", "X-Live": "1" };
      const answer = await fetch(address, { headers, signal: AbortSignal.timeout(GIVE_UP) });
      if (answer.status === 200) take(await answer.text());
      else if (waiting.size) show();
    } catch {
      // Nothing came: console.js tells for how long.
    } finally {
      asking = false;
    }
  };
  setInterval(() => { press.later("expire", expire); ask(); }, EVERY);
  document.addEventListener("visibilitychange", ask);

  // A template goes into the box where it is; what stands there already is kept.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    const box = button?.closest("form").querySelector("textarea");
    if (!box) return;
    box.value = box.value.trim() ? `${box.value.trimEnd()}\n${button.dataset.fill}` : button.dataset.fill;
    box.focus();
  });
})();
