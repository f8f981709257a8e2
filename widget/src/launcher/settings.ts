/** What the script tag and the element say in their `data-` attributes, and where the script came from. */
export interface Settings {
  origin: string;
  key?: string;
  lang?: string;
  position?: string;
  label?: string;
}
