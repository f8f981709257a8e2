import { AftercareChat } from "./element";

type Listener = (detail?: unknown) => void;

const TAG = "aftercare-chat";
const script = (document.currentScript ?? document.querySelector('script[data-key][src*="aftercare.js"]')) as HTMLScriptElement | null;

if (script && !customElements.get(TAG)) {
  const { key = "", lang, position } = script.dataset;
  AftercareChat.settings = { origin: new URL(script.src).origin, key, lang, side: position };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
}

function start(): void {
  customElements.define(TAG, AftercareChat);
  const chat = document.querySelector<AftercareChat>(TAG) ?? document.body.appendChild(new AftercareChat());
  const listeners = new Map<string, Set<Listener>>();
  chat.emit = (name, detail) => listeners.get(name)?.forEach((listener) => listener(detail));
  Object.assign(window, {
    Aftercare: {
      open: () => chat.open(),
      close: () => chat.close(),
      on(name: string, listener: Listener) {
        const group = listeners.get(name) ?? new Set<Listener>();
        listeners.set(name, group.add(listener));
        return () => group.delete(listener);
      },
    },
  });
}
