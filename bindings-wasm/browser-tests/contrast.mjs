/** Contrast as WCAG 2 computes it, of everything that can be read on a page. */

/**
 * Runs in the page: what has too little contrast with its background, in words. Text needs 4.5, large text 3 (WCAG 2.2, 1.4.3);
 * borders of inputs need 3 (1.4.11).
 */
export function lowContrast() {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const backgrounds = (element) => {
    const all = [];
    for (let at = element; at; at = at.parentElement) {
      all.unshift(getComputedStyle(at).backgroundColor);
    }
    return ["Canvas", ...all];
  };
  const found = [];
  let looked = 0;
  const judge = (what, element, color, least) => {
    looked++;
    const under = backgrounds(element);
    const seen = ratio(pixel([...under, color]), pixel(under));
    if (seen < least) {
      found.push(`${what}: ${seen.toFixed(2)} when at least ${least} was expected`);
    }
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const said = walker.currentNode.data.trim();
    const style = getComputedStyle(element);
    // Controls that are off are exempt.
    if (
      said === "" ||
      !element.checkVisibility({ visibilityProperty: true }) ||
      element.closest(":disabled, noscript")
    ) {
      continue;
    }
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    judge(
      JSON.stringify(said.slice(0, 40)),
      element,
      element.closest("svg") ? style.fill : style.color,
      large ? 3 : 4.5,
    );
  }
  for (const input of document.querySelectorAll("input")) {
    judge(`border of ${input.name}`, input.parentElement, getComputedStyle(input).borderTopColor, 3);
    judge(`placeholder of ${input.name}`, input, getComputedStyle(input, "::placeholder").color, 4.5);
  }
  return { found, looked };
}
