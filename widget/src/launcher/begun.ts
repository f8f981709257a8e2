const NAME = "aftercare.begun";

/** Whether the chat was opened in this tab. The page's own storage holds this and no more; the panel's holds whether one is under way. */
export function wasOpened(): boolean {
  try {
    return sessionStorage.getItem(NAME) === "1";
  } catch {
    return false;
  }
}

export function keepOpened(opened: boolean): void {
  try {
    if (opened) sessionStorage.setItem(NAME, "1");
    else sessionStorage.removeItem(NAME);
  } catch {
    return;
  }
}
