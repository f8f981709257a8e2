import type { Callback, Words, Writer } from "../../shared/types";
import type { Started } from "../api";
import type { Prefs } from "../prefs";
import type { OutItem } from "./delivery";
import type { PanelEvent } from "./events";

/** A question to the server; each comes back as the event that its name begins. */
export type Request =
  | { type: "start"; writer: Writer }
  | { type: "resume"; token: string }
  /** Is the chat over? `otherwise`: with this code, if the server does not say. */
  | { type: "check"; token: string; otherwise: string | null }
  | { type: "extend"; token: string }
  | { type: "writer"; token: string; writer: Writer; before: Writer }
  | { type: "send"; token: string; item: OutItem }
  | { type: "callback_info"; token: string }
  | { type: "callback"; token: string; clientId: string; wanted: Callback }
  | { type: "summary"; token: string }
  /** The panel's words in a language. */
  | { type: "words"; tag: string }
  | { type: "restart"; writer: Writer; old: string | null }
  | { type: "end_old"; token: string; next: Started }
  | { type: "end"; token: string; clearDevice: boolean };

/** What is on the screen. */
export type OnScreen =
  | { type: "render" }
  /** These are the panel's words from now on. */
  | { type: "speak"; words: Words }
  /** After the next drawing; `byFinger` is what gets it where the text box would bring up a keyboard. */
  | { type: "focus"; id: string; byFinger?: string }
  | { type: "to_newest" }
  /** Puts words into the text box when it is empty. */
  | { type: "give_back"; text: string }
  | { type: "clear_draft" }
  /** Something is to be answered by a tap. */
  | { type: "make_room" }
  | { type: "unread"; count: number };

/** What a screen reader says, in the panel's language unless another is named. */
export type Spoken = { type: "say"; text: string; lang?: string } | { type: "alert"; text: string; lang: string };

type Timed =
  /** A wait with a name takes the place of the one that has it, and can be cancelled. */
  { type: "wait"; ms: number; event: PanelEvent; name?: string } | { type: "cancel"; name: string };

type Connected =
  | { type: "request"; request: Request }
  /** Ends and clears the chat while the page goes; nobody waits for the answer. */
  | { type: "leave"; token: string }
  /** Ends a chat in which nothing was said here; nobody waits for the answer. */
  | { type: "drop"; token: string }
  /** The events of this chat, at first those after this number. */
  | { type: "feed"; token: string; after: number }
  | { type: "stop_feed" }
  | { type: "kick_feed" };

type Stored =
  | { type: "keep_token"; token: string | null }
  | { type: "keep_in_memory"; shared: boolean }
  | { type: "keep_prefs"; prefs: Prefs }
  | { type: "forget_prefs" }
  | { type: "keep_language"; tag: string };

type ToTabs = { type: "ask_tabs" } | { type: "tell_ended"; token: string } | { type: "tell_restarted" | "tell_begun_again"; from: string; token: string };

/** What is to be done about an event. */
export type Effect = OnScreen | Spoken | Timed | Connected | Stored | ToTabs;
