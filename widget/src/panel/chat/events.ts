import type { CallbackEvent, CallbackInfo, ChatEvent, FollowedEvent, Row, RowAnswer, Session, Summary, Words, Writer } from "../../shared/types";
import type { History, Result, Started, Stored } from "../api";
import type { Prefs } from "../prefs";
import type { CallbackFields } from "./contact";
import type { State, View } from "./state";

/** What the patient does. What may send something brings the id that it would be sent with. */
type ByPatient =
  | { type: "said"; clientId: string; text: string }
  | { type: "said_nothing" }
  | { type: "typed"; length: number }
  | { type: "pressed"; clientId: string; id: string; title: string }
  /** `sure`: chosen, not passed with the arrow keys. */
  | { type: "row_answered"; clientId: string; row: Row; answer: RowAnswer; sure: boolean }
  | { type: "rows_sent"; clientId: string }
  | { type: "followup_pressed"; clientId: string; seq: number; id: string; title: string }
  /** The last tap was a mistake. */
  | { type: "mistaken"; clientId: string }
  | { type: "unfolded"; focus: string }
  | { type: "retried"; clientId: string }
  | { type: "started_new"; clientId: string; draft: string }
  | { type: "chose_topic"; topic: State["topic"] }
  | { type: "kept_open" };

/** What the patient does in the menu and the summary. */
type InMenu =
  | { type: "went_to"; view: View }
  | { type: "chose_prefs"; change: Partial<Prefs> }
  | { type: "chose_language"; tag: string }
  | { type: "chose_writer"; writer: Writer }
  | { type: "chose_shared"; shared: boolean }
  | { type: "asked"; confirm: State["confirm"] }
  | { type: "opened_summary" }
  | { type: "restarted" }
  | { type: "ended"; clearDevice: boolean };

/** What the patient does about a call. */
type AboutCall = { type: "opened_callback" } | { type: "callback_filled"; change: Partial<CallbackFields> } | { type: "callback_sent"; clientId: string };

/** What happens to the page and in the other tabs. */
type OnPage =
  | { type: "loaded"; token: string | null }
  | { type: "embedded"; closes: boolean; shown: boolean }
  | { type: "shown"; shown: boolean }
  | { type: "below"; below: State["below"] }
  /** The internet is back or the page is seen again: try everything at once. */
  | { type: "woken" }
  | { type: "left" }
  | { type: "broken" }
  | { type: "tab_told"; token: string | null }
  | { type: "tab_ended"; token: string }
  | { type: "tab_restarted" | "tab_begun_again"; from: string; token: string };

/** What the server answers to a request, with the token that it was asked by. */
type Answered =
  /** `lang`: the panel's language when it was asked. */
  | { type: "start_answered"; result: Result<Started>; lang: string }
  | { type: "resume_answered"; result: Result<History>; token: string; lang: string }
  | { type: "check_answered"; result: Result<Session>; token: string; otherwise: string | null }
  | { type: "extend_answered"; result: Result<Session>; token: string }
  | { type: "writer_answered"; result: Result<Session>; token: string; before: Writer }
  | { type: "send_answered"; result: Result<Stored | FollowedEvent>; token: string }
  | { type: "callback_info_answered"; result: Result<CallbackInfo>; token: string }
  | { type: "callback_answered"; result: Result<CallbackEvent>; token: string }
  | { type: "summary_answered"; result: Result<Summary>; token: string }
  | { type: "words_answered"; result: Result<Words>; tag: string }
  | { type: "restart_answered"; result: Result<Started>; old: string | null }
  | { type: "old_ended"; next: Started }
  | { type: "end_answered"; result: Result<null>; token: string; clearDevice: boolean }
  /** An answer that could not be read. */
  | { type: "unreadable"; request: string };

/** What the feed brings. */
type Fed =
  | { type: "fed"; event: ChatEvent }
  | { type: "fed_session"; session: Session }
  /** With the server's code when the token is dead; without when the stream says that the chat is over. */
  | { type: "feed_closed"; code: string | undefined }
  | { type: "feed_up" }
  | { type: "feed_down" };

/** Whose time has come. */
type Due =
  | { type: "tick" }
  | { type: "start_due" }
  | { type: "retry_due" }
  | { type: "give_up_due"; clientId: string }
  | { type: "answer_due" }
  | { type: "typing_due"; typing: State["typing"] }
  | { type: "fresh_over" }
  | { type: "tap_over" }
  | { type: "back_over" };

/** All that can happen to the panel. */
export type PanelEvent = ByPatient | InMenu | AboutCall | OnPage | Answered | Fed | Due;

/** An event with our clock's time. */
export type Stamped = PanelEvent & { now: number };
