/** As much of React as the example needs: one component at a time, its effects, and an element of its own. */
let effects = [];

export const useEffect = (effect) => effects.push(effect);

export function jsx(name, { style = {}, ...attributes }) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  Object.assign(element.style, style);
  return element;
}

/** Renders a component; the function returned takes it away, as React does: the element first, then the effects. */
export function mount(Component, place) {
  effects = [];
  const element = Component();
  if (element) place.append(element);
  const cleanups = effects.map((effect) => effect());
  return () => {
    element?.remove();
    cleanups.forEach((cleanup) => cleanup());
  };
}
