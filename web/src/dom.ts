type Attributes = Record<string, string | boolean | ((event: globalThis.Event) => void)>;

/** Makes an element: functions become listeners, `true` an attribute without a value. Never parses HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Node | string | null | false)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

/** An icon of strokes on a field of 24 x 24; it says nothing that the text does not. */
export function icon(name: string, path: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  set(svg, { viewBox: '0 0 24 24', class: `icon ${name}`, 'aria-hidden': 'true', focusable: 'false' });
  const stroke = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  set(stroke, { d: path });
  svg.append(stroke);
  return svg;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
}
