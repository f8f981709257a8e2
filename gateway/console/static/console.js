"use strict";
(() => {
  const STALE_AFTER = 8_000;
  const body = document.body;
  const told = () => document.getElementById("told");
  const say = (text, kind = "done") => {
    const line = document.createElement("p");
    line.className = `told ${kind}`;
    line.textContent = text;
    told().replaceChildren(line);
  };

  // The clocks: words for how long something has waited, and whether that is too long.
  const words = (seconds) => {
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    if (hours) return `${hours} h ${minutes} min`;
    return minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
  };
  const live = () => document.getElementById("live");
  let ahead = 0;
  const tick = () => {
    for (const clock of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, (Date.now() + ahead - Date.parse(clock.dataset.since)) / 1000);
      const late = Number(clock.dataset.limit) > 0 && seconds > Number(clock.dataset.limit);
      clock.textContent = words(seconds) + (late ? ", over the limit" : "");
      clock.closest("tr, section")?.classList.toggle("late", late);
    }
  };
  const synchronise = () => {
    const asked = live()?.dataset.asked;
    if (asked) ahead = Date.parse(asked) - Date.now();
  };

  // The live part: what arrived, and how old it is when nothing comes any more.
  let heard = Date.now();
  let red = new Set((live()?.dataset.red ?? "").split(" ").filter(Boolean));
  let sound = body.dataset.sound === "on";
  let audio;
  const beep = () => {
    if (!sound) return;
    audio ??= new AudioContext();
    for (const [at, pitch] of [[0, 880], [0.25, 660], [0.5, 880]]) {
      const tone = audio.createOscillator(), loud = audio.createGain();
      tone.frequency.value = pitch;
      loud.gain.value = 0.2;
      tone.connect(loud).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.2);
    }
    body.dataset.beeps = String(Number(body.dataset.beeps ?? 0) + 1);
  };
  const arrived = () => {
    const now = new Set((live()?.dataset.red ?? "").split(" ").filter(Boolean));
    const fresh = [...now].filter((number) => !red.has(number));
    red = now;
    if (!fresh.length) return;
    document.getElementById("arrived").textContent = `Emergency: case ${fresh.join(", ")} waits for a nurse.`;
    document.title = `(${now.size}) Emergency – Aftercare`;
    beep();
  };
  const stale = () => {
    const bar = document.getElementById("stale");
    const old = Date.now() - heard;
    if (!live() || old < STALE_AFTER) {
      bar.hidden = true;
      return;
    }
    const text = `No connection to the server. This list is ${words(old / 1000)} old and may be wrong. Call the operator; work by telephone until it is back.`;
    if (bar.textContent !== text) bar.textContent = text;
    bar.hidden = false;
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail;
    if (elt.id === "live" && (xhr.status === 200 || xhr.status === 204)) heard = Date.now();
    if (xhr.status === 423) lock();
    if (xhr.status === 401) location.reload();
    if (elt.closest("#lock") && xhr.status === 204) unlock();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "live") return;
    synchronise();
    arrived();
    tick();
  });

  // The lock: the page stays as it is behind it, with all that was typed.
  const curtain = document.getElementById("lock");
  const patience = Number(body.dataset.lockSeconds) * 1000;
  let there = Date.now();
  const lock = () => {
    if (!curtain || curtain.open) return;
    document.getElementById("main").inert = true;
    curtain.showModal();
  };
  const unlock = () => {
    there = Date.now();
    curtain.querySelector("form").reset();
    document.getElementById("lock-told").replaceChildren();
    document.getElementById("main").inert = false;
    curtain.close();
  };
  curtain?.addEventListener("cancel", (event) => event.preventDefault());
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => { if (!curtain?.open) there = Date.now(); }, true);

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
    if (sound) beep();
  });

  synchronise();
  tick();
  setInterval(() => {
    tick();
    stale();
    if (curtain && patience && Date.now() - there > patience) lock();
  }, 1_000);
  globalThis.aftercareConsole = { say };
})();
