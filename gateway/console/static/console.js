"use strict";
(() => {
  const BEEP_EVERY = 60_000;
  const STALE_AFTER = 8_000;
  const body = document.body;

  // The clocks: words for how long something has waited, and whether that is too long.
  const words = (seconds) => {
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    if (hours) return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
  };
  const minutes = (seconds) => (seconds < 60 ? "1 min" : words(seconds).replace(/ \d+ s$/, ""));
  const live = () => document.getElementById("live");
  let ahead = 0;
  const tick = () => {
    const places = new Map(), now = Date.now() + ahead;
    for (const clock of document.querySelectorAll("[data-since], [data-until]")) {
      const since = clock.dataset.since ?? clock.dataset.until, seconds = (now - Date.parse(since)) / 1000;
      const late = clock.dataset.until ? seconds > 0 : Number(clock.dataset.limit) > 0 && seconds > Number(clock.dataset.limit);
      clock.textContent = clock.dataset.until ? `${late ? "late by" : "within"} ${minutes(Math.abs(seconds))}` : words(Math.max(0, seconds)) + (late ? ", over the limit" : "");
      clock.classList.toggle("over", late);
      const place = clock.closest("tr, section");
      places.set(place, places.get(place) || late);
    }
    for (const [place, late] of places) place?.classList.toggle("late", late);
  };
  const synchronise = (part) => {
    const asked = part?.dataset.asked ?? body.dataset.now;
    if (asked) ahead = Date.parse(asked) - Date.now();
  };

  // The alarm: what arrives and waits for a nurse. It goes off on every page, and behind the lock.
  const ALARM_EVERY = 2_000, KNOWN = "known", NAMED = 5, title = document.title;
  const KINDS = ["emergency", "call", "callback"];
  const TONES = { emergency: [[0, 880, 0.2], [0.25, 660, 0.2], [0.5, 880, 0.2]], call: [[0, 523, 0.08]] };
  const curtain = document.getElementById("lock");
  const listed = (text) => (text ?? "").split(" ").filter(Boolean);
  const kept = sessionStorage.getItem(KNOWN);
  let known = kept === null ? null : new Set(listed(kept));
  let urgent = 0;
  let heard = Date.now(), out = false;
  let sound = body.dataset.sound === "on";
  let audio, missed;

  // A browser keeps sound back until somebody has touched the page; what came in the meantime sounds then, once.
  const audible = () => {
    if (!sound || !body.dataset.alarm) return;
    if (!audio) {
      audio = new AudioContext();
      audio.addEventListener("statechange", () => {
        muted();
        if (audio.state === "running" && missed) beep(missed);
      });
    }
    if (navigator.userActivation?.hasBeenActive !== false) audio.resume();
    muted();
  };
  const muted = () => press.later("muted", () => {
    const line = document.getElementById("muted");
    if (line) line.hidden = !sound || !audio || audio.state === "running";
  });
  const beep = (kind) => {
    if (!sound) return;
    audio ??= new AudioContext();
    if (audio.state !== "running") {
      missed = missed === "emergency" ? missed : kind;
      audible();
      return;
    }
    missed = undefined;
    for (const [at, pitch, strength] of TONES[kind]) {
      const tone = audio.createOscillator(), loud = audio.createGain();
      tone.frequency.value = pitch;
      loud.gain.value = strength;
      tone.connect(loud).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.2);
    }
    body.dataset.beeps = String(Number(body.dataset.beeps ?? 0) + 1);
    body.dataset.beep = kind;
  };
  // What has to be told is told at once. While a mouse button is down it lies above the page, so that nothing beneath is moved.
  const show = (id, text) => {
    const place = document.getElementById(id);
    if (!place) return;
    const line = place.querySelector("span") ?? place;
    if (place.hidden) place.classList.add("above");
    if (text && line.textContent !== text) line.textContent = text;
    if (text) place.hidden = false;
    press.later(id, () => {
      place.classList.remove("above");
      if (!text) line.textContent = "";
      place.hidden = !text;
    });
  };
  const named = (numbers) => {
    const first = `${numbers.slice(0, NAMED).join(", ")}${numbers.length > NAMED ? " and more" : ""}`;
    if (!numbers.length) return "";
    return numbers.length === 1 ? `Emergency: case ${first} waits for a nurse.` : `${numbers.length} emergencies wait for a nurse: cases ${first}.`;
  };
  const listedIn = (part) => new Set([...(part?.querySelectorAll("a.case") ?? [])].map((link) => link.id.slice("case-".length)));
  const ring = (waits, part) => {
    const here = listedIn(part), red = waits.red;
    const now = new Set(KINDS.flatMap((kind) => waits[kind].map((number) => `${kind}:${number}`)));
    const arrived = (kind) => waits[kind].filter((number) => known && !known.has(`${kind}:${number}`));
    const fresh = Object.fromEntries(KINDS.map((kind) => [kind, arrived(kind)]));
    known = now;
    urgent = waits.emergency.length;
    sessionStorage.setItem(KNOWN, [...now].join(" "));
    document.title = red.length ? `Emergency (${red.length}) – ${title}` : title;
    show("alarm", red.every((number) => here.has(number)) ? "" : named(red));
    show("lock-alarm", named(red));
    const line = document.getElementById("arrived");
    if (line) announce(line, fresh);
    if (fresh.emergency.length) beep("emergency");
    else if (fresh.call.length || fresh.callback.length) beep("call");
  };
  const announce = (line, fresh) => {
    if (fresh.emergency.length) line.textContent = `Emergency: case ${fresh.emergency.join(", ")} waits for a nurse.`;
    else if (fresh.callback.length) line.textContent = `Case ${fresh.callback.join(", ")} asks for a call.`;
    else if (fresh.call.length) line.textContent = `Call doctor: case ${fresh.call.join(", ")} waits for a nurse.`;
  };
  const waitsOf = (part) => Object.fromEntries(["red", ...KINDS].map((kind) => [kind, listed(part.dataset[kind])]));
  const asText = (waits) => Object.fromEntries(Object.entries(waits).map(([kind, numbers]) => [kind, numbers.map(String)]));
  const ask = async () => {
    if (!body.dataset.alarm || out || (live() && !curtain?.open)) return;
    try {
      const answer = await fetch("/console/alarm", { headers: { "HX-Request": "true", "X-Live": "1" }, signal: AbortSignal.timeout(STALE_AFTER) });
      out = answer.status === 401;
      if (!answer.ok) return;
      ring(asText(await answer.json()), live());
      heard = Date.now();
    } catch {
      // Nothing came: how long that lasts is told by `stale`.
    }
  };

  // How old the page is when nothing comes any more.
  const lost = (seconds) => {
    if (out) return "You are logged out. Emergencies do not show here any more. Log in again.";
    const page = live() ? `This list is ${words(seconds)} old and may be wrong.` : `Emergencies of the last ${words(seconds)} do not show here.`;
    return `No connection to the server. ${page} Call the operator; work by telephone until it is back.`;
  };
  const stale = () => {
    const old = Date.now() - heard;
    const text = out || (body.dataset.alarm && old >= STALE_AFTER) ? lost(old / 1000) : "";
    show("stale", text);
    if (text) show("lock-alarm", text);
  };
  const refresh = () => {
    const time = document.querySelector(".fresh time"), now = Date.now() + ahead;
    if (!time) return;
    const local = new Date(now + Number(time.dataset.offset) * 1000);
    time.dateTime = new Date(now).toISOString();
    time.textContent = `${local.toISOString().slice(11, 19)} ${time.dataset.zone}`;
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail;
    if (elt.id === "live" && (xhr.status === 200 || xhr.status === 204)) heard = Date.now();
    if (elt.id === "live" && xhr.status === 204) refresh();
    if (xhr.status === 423) lock();
    if (xhr.status === 401 && !out) {
      out = true;
      beep("emergency");
      setTimeout(() => location.reload(), 1_000);
    }
    if (elt.closest("#lock") && xhr.status === 204) unlock();
  });
  // A new list is heard and announced when it comes, and shown when no press is on its way to a click.
  const arrive = (part) => {
    synchronise(part);
    ring(waitsOf(part), part);
  };
  const exchange = (target, html) => {
    const row = document.activeElement?.closest("#live tr")?.querySelector("a.case").id;
    htmx.swap(target, html, { swapStyle: "outerHTML" });
    if (row && document.activeElement === body) document.getElementById(row)?.focus({ preventScroll: true });
    tick();
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    if (detail.elt?.closest?.("#lock")) detail.target = document.getElementById("lock-told");
    if (!detail.shouldSwap || !detail.target.matches("#live, #handover-waits")) return;
    const target = `#${detail.target.id}`, html = detail.serverResponse;
    const part = new DOMParser().parseFromString(html, "text/html").getElementById("live");
    if (part) arrive(part);
    detail.shouldSwap = false;
    press.later(target, () => exchange(target, html));
  });

  // The lock: the page stays as it is behind it, with all that was typed.
  const patience = Number(body.dataset.lockSeconds) * 1000;
  let there = Date.now();
  const lock = () => {
    if (!curtain || curtain.open) return;
    document.getElementById("main").inert = true;
    body.classList.add("locked");
    curtain.showModal();
  };
  const unlock = () => {
    there = Date.now();
    curtain.querySelector("form").reset();
    document.getElementById("lock-told").replaceChildren();
    document.getElementById("main").inert = false;
    body.classList.remove("locked");
    curtain.close();
  };
  curtain?.addEventListener("cancel", (event) => event.preventDefault());
  for (const kind of ["keydown", "pointerdown", "click"]) {
    addEventListener(kind, () => {
      if (!curtain?.open) there = Date.now();
      if (audio?.state !== "running") audible();
    }, true);
  }

  // The keys.
  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");
  const cases = () => [...document.querySelectorAll("#live a.case")];
  const step = (by) => {
    const list = cases(), here = list.indexOf(document.activeElement);
    list[Math.min(list.length - 1, Math.max(0, here < 0 ? 0 : here + by))]?.focus();
  };
  const act = (key) => document.querySelector(`[data-key="${key}"]`);
  const KEYS = {
    "?": () => document.getElementById("keys")?.showModal(),
    j: () => step(1),
    k: () => step(-1),
    m: () => document.getElementById("sound")?.click(),
    u: () => { location.href = "/console/"; },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (body.dataset.singleKeys !== "on") return;
    if (event.key === "a" && document.activeElement?.matches("#live a.case")) {
      event.preventDefault();
      acknowledge(document.activeElement);
      return;
    }
    const target = act(event.key);
    if (target) {
      event.preventDefault();
      if (target.matches("details")) { target.open = true; (target.querySelector("[type=search]") ?? target.querySelector("input:not([type=hidden]), select, textarea, button") ?? target.querySelector("summary")).focus(); }
      else if (target.matches("button, a, summary")) target.click();
      else target.focus();
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  const acknowledge = (link) => {
    const number = link.id.slice("case-".length);
    htmx.ajax("POST", `/console/cases/${number}/acknowledge`, { target: "#told", swap: "innerHTML", values: { seen: link.dataset.seen } });
  };

  document.getElementById("sound")?.addEventListener("click", (event) => {
    sound = !sound;
    const button = event.currentTarget;
    button.setAttribute("aria-pressed", String(sound));
    button.querySelector("span").textContent = sound ? "on" : "off";
    muted();
    if (sound) beep("emergency");
  });
  document.addEventListener("submit", (event) => {
    const link = event.target.matches(".take form") && event.target.closest("tr").querySelector("a.case");
    if (!link) return;
    event.preventDefault();
    acknowledge(link);
  });

  if (live()) arrive(live());
  else synchronise();
  tick();
  audible();
  ask();
  setInterval(ask, ALARM_EVERY);
  setInterval(() => { if (urgent) beep("emergency"); }, BEEP_EVERY);
  setInterval(() => {
    press.later("clocks", tick);
    stale();
    if (curtain && patience && Date.now() - there > patience) lock();
  }, 1_000);
})();
