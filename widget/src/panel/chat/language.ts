import { failed } from "./menu";
import { beginAgain } from "./opening";
import { isFirstScreen } from "./state";
import type { Handlers } from "./step";

export const languageHandlers: Handlers<"chose_language" | "words_answered"> = {
  chose_language(step, { tag }) {
    step.state.choosing = tag === step.config.lang ? null : tag;
    if (step.state.choosing) step.ask({ type: "words", tag });
  },
  words_answered(step, { result, tag }) {
    const { token, choosing } = step.state;
    if (tag !== choosing) return;
    step.state.choosing = null;
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
