/** Puts the chat's script on the page; the function returned takes script and chat away. */
export function mount({ gateway, ...options }) {
  const script = document.createElement("script");
  script.src = `${gateway}/aftercare.js`;
  for (const [name, value] of Object.entries(options)) if (value !== undefined) script.dataset[name] = value;
  document.head.append(script);
  return () => {
    script.remove();
    document.querySelector("aftercare-chat")?.remove();
  };
}
