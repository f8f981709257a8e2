import { AftercareChat } from "./element";

type Listener = (detail?: unknown) => void;

const TAG = "aftercare-chat";
const EVENTS = ["open", "close", "ready", "unread", "unavailable"];
const script = (document.currentScript ?? document.querySelector('script[src*="/aftercare.js"]')) as HTMLScriptElement | null;

if (script) {
  // A page that adds the script again goes on with the class that is there.
  const Chat = (customElements.get(TAG) as typeof AftercareChat | undefined) ?? AftercareChat;
  Chat.settings = { ...script.dataset, origin: new URL(script.src).origin };
  if (document.body) start(Chat);
  else addEventListener("DOMContentLoaded", () => start(Chat));
}

function start(Chat: typeof AftercareChat): void {
  if (!customElements.get(TAG)) {
    customElements.define(TAG, Chat);
    Object.assign(window, { Aftercare: programming(Chat) });
  }
  if (script!.isConnected) present(Chat);
}

/** The page's chat; a new one where there is none. */
function present(Chat: typeof AftercareChat): AftercareChat {
  if (!Chat.current) {
    const chat = new Chat();
    chat.made = true;
    document.body.append(chat);
  }
  return Chat.current!;
}

function programming(Chat: typeof AftercareChat) {
  const listeners = new Map(EVENTS.map((name) => [name, new Set<Listener>()]));
  Chat.emit = (name, detail) => listeners.get(name)!.forEach((listener) => listener(detail));
  return {
    open: () => present(Chat).open(),
    close: () => Chat.current?.close(),
    on(name: string, listener: Listener) {
      const group = listeners.get(name);
      if (!group) throw new TypeError(`Aftercare.on: there is no event "${name}"; there are ${EVENTS.join(", ")}`);
      group.add(listener);
      return () => group.delete(listener);
    },
  };
}
