/** Checked by tsc alone: what the package's types take, and what they refuse. */
import { mount } from "../package/index.js";

const unmount: () => void = mount({ gateway: "https://chat.clinic.example", key: "our-clinic", lang: "es", position: "left", label: "Ask" });
unmount();

const off: (() => void) | undefined = window.Aftercare?.on("unread", (count: number) => count + 1);
off?.();
window.Aftercare?.on("unavailable", (reason: "timeout" | "blocked" | "refused") => reason);

// @ts-expect-error There is no such event.
window.Aftercare?.on("message", () => {});
// @ts-expect-error The number of unread messages is no text.
window.Aftercare?.on("unread", (text: string) => text);
// @ts-expect-error The key is required.
mount({ gateway: "https://chat.clinic.example" });
// @ts-expect-error The widget does not speak French.
mount({ gateway: "https://chat.clinic.example", key: "our-clinic", lang: "fr" });
