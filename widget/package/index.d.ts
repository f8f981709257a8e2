export interface Options {
  /** The address of the gateway, as https://chat.clinic.example. */
  gateway: string;
  key: string;
  lang?: "en" | "es";
  position?: "left" | "right";
  label?: string;
}

/** What listeners are told with each event. */
export interface Events {
  open: undefined;
  close: undefined;
  ready: undefined;
  unread: number;
  unavailable: "timeout" | "blocked" | "refused";
}

export interface Api {
  open(): void;
  close(): void;
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void;
}

export function mount(options: Options): () => void;

declare global {
  interface Window {
    /** There once the script has run. */
    Aftercare?: Api;
  }
}
