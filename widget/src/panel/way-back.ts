/** The browser's own way back: from a view that is open it leads to the chat, and not off the page. */
export class WayBack {
  constructor(back: () => void) {
    addEventListener("popstate", back);
  }

  /** A view is open. What marks it says nothing of it, and is left behind when the view is closed otherwise. */
  mark(): void {
    if (history.state !== MARK) history.pushState(MARK, "");
  }
}

const MARK = "aftercare";
