import { TokenStore } from "../panel/session";
import { readToPanel, type Refusal, type ToLauncher } from "../shared/messages";
import { remedy } from "./remedy";

interface Config {
  known: boolean;
  parents: string[];
}

/** Tells the page around it whether it may show the chat and, if it may, whether this tab holds one that was begun. */
const config = JSON.parse(document.getElementById("config")!.textContent!) as Config;

addEventListener("message", (event: MessageEvent) => {
  if (window.parent === window || event.source !== window.parent || readToPanel(event.data)?.type !== "hello") return;
  const unlisted = [event.origin, ...(location.ancestorOrigins ?? [])].find((origin) => !config.parents.includes(origin));
  const refused: Refusal | null = !config.known ? "key" : unlisted !== undefined ? "origin" : null;
  if (refused) console.error(remedy(refused, unlisted ?? event.origin, decodeURIComponent(location.pathname.split("/")[2]!)));
  const told: ToLauncher = { aftercare: 1, type: "embedding", refused, begun: refused === null && new TokenStore().read() !== null };
  window.parent.postMessage(told, refused ? "*" : event.origin);
});
