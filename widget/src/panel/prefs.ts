export type Size = "normal" | "large" | "larger";
export type Contrast = "normal" | "high";

export interface Prefs {
  size: Size;
  contrast: Contrast;
}

const KEY = "aftercare.view";

export function readPrefs(): Prefs {
  const prefs: Prefs = { size: "normal", contrast: "normal" };
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>;
    if (stored.size === "large" || stored.size === "larger") prefs.size = stored.size;
    if (stored.contrast === "high") prefs.contrast = "high";
  } catch {
    return prefs;
  }
  return prefs;
}

export function applyPrefs(prefs: Prefs): void {
  document.documentElement.dataset["size"] = prefs.size;
  document.documentElement.dataset["contrast"] = prefs.contrast;
}

export function storePrefs(prefs: Prefs): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    return;
  }
}

export function forgetPrefs(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    return;
  }
}
