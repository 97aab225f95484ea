// The few icons that the editor draws itself, as DOM nodes (no markup strings: Trusted Types forbids them).

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  locked: ["M4.5 7.5h7a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z", "M5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5"],
  open: ["M4.5 7.5h7a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-4a1 1 0 0 1 1-1z", "M5.5 7.5V5a2.5 2.5 0 0 1 4.9-.7"],
  changed: ["M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
  refused: ["M8 3 14 13H2z", "M8 6.8v2.6", "M8 11.2v.1"],
  reveal: ["M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8z", "M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z"],
  copy: ["M6.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1z", "M3.5 10.5h-.2a.8.8 0 0 1-.8-.8V3.3c0-.4.4-.8.8-.8h6.4c.4 0 .8.4.8.8v.2"],
  replace: ["M3 13h3l7-7-3-3-7 7z", "M8.7 4.3l3 3"],
};

/**
 * @param {keyof typeof PATHS} name
 * @returns {SVGSVGElement} 16 px, drawn in the current colour, hidden from assistive technology
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 16 16"],
    ["width", "16"],
    ["height", "16"],
    ["fill", name === "changed" ? "currentColor" : "none"],
    ["stroke", "currentColor"],
    ["stroke-width", "1.4"],
    ["stroke-linejoin", "round"],
    ["stroke-linecap", "round"],
    ["aria-hidden", "true"],
  ]) {
    svg.setAttribute(key, value);
  }
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
