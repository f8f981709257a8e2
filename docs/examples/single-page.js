const GATEWAY = "https://chat.clinic.example";
const KEY = "our-clinic";

/** Adds the script, which makes the chat's button unless the view has a chat of its own. */
function addScript() {
  const script = document.createElement("script");
  script.src = `${GATEWAY}/aftercare.js`;
  script.dataset.key = KEY;
  document.head.append(script);
  return () => {
    script.remove();
    document.querySelector("aftercare-chat")?.remove();
  };
}

/** The chat as a part of the view: it fills its box, and there is no button. */
function addBox(view) {
  const chat = document.createElement("aftercare-chat");
  chat.dataset.mode = "inline";
  chat.style.height = "640px";
  view.append(chat);
  return addScript();
}

const views = {
  home: () => () => {},
  recovery: addScript,
  chat: addBox,
};

let leave = () => {};

function show() {
  const name = location.hash.slice(1);
  const view = document.getElementById("view");
  leave();
  view.replaceChildren(`You are at: ${name || "home"}`);
  leave = (views[name] ?? views.home)(view);
}

addEventListener("hashchange", show);
show();
