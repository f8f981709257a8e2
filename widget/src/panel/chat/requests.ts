import type { Config } from "../../shared/types";
import type { Api } from "../api";
import { wordsOf } from "../text";
import type { OutItem } from "./delivery";
import type { Request } from "./effects";
import type { PanelEvent } from "./events";

/** Asks the server; the answer as an event. */
export async function ask(api: Api, { key, lang }: Config, request: Request): Promise<PanelEvent> {
  switch (request.type) {
    case "start":
      return { type: "start_answered", result: await api.start(key, lang, request.writer), lang };
    case "resume":
      return { type: "resume_answered", result: await api.events(request.token, 0, 0), token: request.token, lang };
    case "check":
      return { type: "check_answered", result: await api.session(request.token), token: request.token, otherwise: request.otherwise };
    case "extend":
      return { type: "extend_answered", result: await api.extend(request.token), token: request.token };
    case "writer":
      return { type: "writer_answered", result: await api.writer(request.token, request.writer), token: request.token, before: request.before };
    case "send":
      return { type: "send_answered", result: await send(api, request.token, request.item), token: request.token };
    case "callback_info":
      return { type: "callback_info_answered", result: await api.callbackInfo(request.token), token: request.token };
    case "callback":
      return { type: "callback_answered", result: await api.callback(request.token, { client_id: request.clientId, ...request.wanted }), token: request.token };
    case "summary":
      return { type: "summary_answered", result: await api.summary(request.token), token: request.token };
    case "words":
      return { type: "words_answered", result: await api.words(key, request.tag), tag: request.tag };
    case "restart":
      return { type: "restart_answered", result: await api.start(key, lang, request.writer), old: request.old };
    case "end_old":
      await api.end(request.token);
      return { type: "old_ended", next: request.next };
    case "end":
      return { type: "end_answered", result: await api.end(request.token, { clear: request.clearDevice }), token: request.token, clearDevice: request.clearDevice };
  }
}

function send(api: Api, token: string, item: OutItem) {
  return item.followup ? api.followup(token, { client_id: item.clientId, ...item.followup }) : api.send(token, wordsOf(item));
}
