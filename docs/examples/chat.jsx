import { useEffect } from "react";

const GATEWAY = "https://chat.clinic.example";
const KEY = "our-clinic";

function useAftercare() {
  useEffect(() => {
    const script = document.createElement("script");
    script.src = `${GATEWAY}/aftercare.js`;
    script.dataset.key = KEY;
    document.head.append(script);
    return () => script.remove();
  }, []);
}

/** The button in the corner, on every view that renders this. */
export function ChatLauncher() {
  useAftercare();
  useEffect(() => () => document.querySelector("aftercare-chat")?.remove(), []);
  return null;
}

/** The chat as a part of the view. */
export function ChatBox() {
  useAftercare();
  return <aftercare-chat data-mode="inline" style={{ height: "640px" }} />;
}
