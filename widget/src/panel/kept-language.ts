const KEY = "aftercare.language";

/** The language that the patient chose in this tab. */
export function keptLanguage(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function keepLanguage(tag: string): void {
  try {
    sessionStorage.setItem(KEY, tag);
  } catch {
    return;
  }
}

export function forgetLanguage(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    return;
  }
}
