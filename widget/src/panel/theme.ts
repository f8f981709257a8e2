import type { Theme } from "../shared/messages";
import { contrast, ENOUGH, type Rgb } from "./contrast";

/** Takes over the host page's accent only when its text stays readable on it. */
export function applyTheme(theme: Theme): void {
  const accent = theme.accent;
  const accentText = theme.accentText ?? "#fff";
  if (!accent || !CSS.supports("color", accent) || !CSS.supports("color", accentText)) return;
  const [back, front] = [pixel(accent), pixel(accentText)];
  if (!back || !front || contrast(back, front) < ENOUGH) return;
  document.documentElement.style.setProperty("--accent", hex(back));
  document.documentElement.style.setProperty("--accent-text", hex(front));
}

function pixel(colour: string): Rgb | null {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d");
  if (!paint) return null;
  paint.fillStyle = colour;
  paint.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0, alpha = 0] = paint.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? [r, g, b] : null;
}

function hex(colour: Rgb): string {
  return "#" + colour.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
