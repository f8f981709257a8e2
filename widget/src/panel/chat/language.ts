import { failed } from "./menu";
import { startNew } from "./opening";
import { isFirstScreen } from "./state";
import type { Handlers, Step } from "./step";

/** Nothing was said yet: the chat begins again, in the language that was chosen. What is said meanwhile waits for it. */
function beginAgain(step: Step, token: string): void {
  step.do({ type: "stop_feed" });
  step.do({ type: "drop", token });
  step.state.token = null;
  startNew(step, "", "");
}

export const languageHandlers: Handlers<"chose_language" | "words_answered"> = {
  chose_language(step, { tag }) {
    if (step.state.phase === "starting") return;
    step.state.choosing = tag === step.config.lang ? null : tag;
    if (step.state.choosing) step.ask({ type: "words", tag });
  },
  words_answered(step, { result, tag }) {
    const { phase, token, choosing } = step.state;
    if (tag !== choosing) return;
    step.state.choosing = null;
    if (phase === "starting") return;
    if (!result.ok) return failed(step, result);
    const words = result.data;
    step.state.menuNote = "";
    step.do({ type: "speak", words });
    step.do({ type: "keep_language", tag: words.lang });
    step.say(words.strings.language.chosen, words.lang);
    step.render();
    if (token && isFirstScreen(step.state)) beginAgain(step, token);
  },
};
