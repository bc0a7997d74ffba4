// What the browser's layout says about a report page; test_browser.py judges it.
(() => {
  const box = (one) => one.getBoundingClientRect();
  const style = (one) => getComputedStyle(one);

  // How far the document is wider than its window, and by which elements.
  function overflow() {
    const root = document.documentElement;
    const wide = [...document.querySelectorAll("body *")].filter(
      (one) => !one.closest(".scroll, .chart") && box(one).right > root.clientWidth + 1,
    );
    return { over: root.scrollWidth - root.clientWidth, wide: wide.map((one) => one.outerHTML.slice(0, 120)) };
  }

  const say = (one) => one.textContent || one.outerHTML.slice(0, 120);

  function drawn(one) {
    const { opacity, fill, stroke } = style(one);
    return opacity !== "0" && !(fill === "none" && stroke === "none") && (box(one).width > 0 || box(one).height > 0);
  }

  function overprinted(texts) {
    const found = [];
    texts.forEach((one, at) => {
      for (const other of texts.slice(at + 1)) {
        const [a, b] = [box(one), box(other)];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 0.3 * Math.min(a.height, b.height)) found.push(`${say(one)} / ${say(other)}`);
      }
    });
    return found;
  }

  // Each chart: its size, what it draws, and which of that is cut off, overprinted or too small to read.
  function charts() {
    return [...document.querySelectorAll(".chart")].map((chart) => {
      const svg = chart.querySelector(".live svg");
      if (!svg) return { name: chart.dataset.spec, width: 0 };
      const frame = box(svg);
      const marks = [...svg.querySelectorAll("[class*='mark-'] > *:not(g)")].filter(drawn);
      const texts = marks.filter((one) => one.tagName === "text");
      const outside = marks.filter((one) => {
        const { left, right, top, bottom } = box(one);
        return left < frame.left - 1 || right > frame.right + 1 || top < frame.top - 1 || bottom > frame.bottom + 1;
      });
      return {
        name: chart.dataset.spec,
        width: frame.width,
        height: frame.height,
        marks: marks.length - texts.length,
        texts: texts.length,
        fits: chart.scrollWidth > chart.clientWidth || frame.right <= box(chart).right + 1,
        outside: outside.map(say),
        overprinted: overprinted(texts),
        small: texts.filter((one) => parseFloat(style(one).fontSize) < 9.5).map(say),
      };
    });
  }

  // Cells of tables whose text runs into the next one's.
  function crowded() {
    const text = (cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return box(range);
    };
    return [...document.querySelectorAll("td + td, th + td, th + th")]
      .filter((cell) => text(cell).width && text(cell.previousElementSibling).width)
      .filter((cell) => text(cell.previousElementSibling).bottom > text(cell).top)
      .filter((cell) => text(cell.previousElementSibling).right > text(cell).left - 3)
      .map((cell) => `${cell.previousElementSibling.textContent} / ${cell.textContent}`);
  }

  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);

  // Relative luminance and contrast as in WCAG 2.2.
  function luminance(colour) {
    const [red, green, blue] = channels(colour)
      .slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  function ground(one) {
    const colour = style(one).backgroundColor;
    return channels(colour)[3] === 0 ? ground(one.parentElement) : colour;
  }

  // The colour of the heatmap's cell under a text.
  function cell(text) {
    const { x, y, width, height } = box(text);
    const [across, down] = [x + width / 2, y + height / 2];
    const under = [...text.ownerSVGElement.querySelectorAll(".mark-rect.role-mark path")].filter((one) => {
      const { left, right, top, bottom } = box(one);
      const covers = left < across && across < right && top < down && down < bottom;
      return covers && style(one).fill !== "none";
    });
    return under.map((one) => style(one).fill).pop();
  }

  // The words that stand out from their ground by less than 4.5 to 1.
  function faint() {
    const pairs = [...document.querySelectorAll(".live svg text")]
      .filter((text) => text.textContent.trim() && drawn(text))
      .map((text) => [text, style(text).fill, cell(text) || ground(text.ownerSVGElement.parentElement)]);
    const charted = pairs.length;
    for (const one of document.querySelectorAll("body *:not(script, svg, svg *)")) {
      const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      if (own && one.offsetParent) pairs.push([one, style(one).color, ground(one)]);
    }
    const found = pairs
      .filter(([, colour, on]) => contrast(colour, on) < 4.5)
      .map(([one, colour, on]) => `${one.textContent.trim().slice(0, 40)}: ${colour} on ${on}`);
    return { charted, found };
  }

  // Where a text's first letter stands in its box, from either side.
  function firstLetter(one) {
    const range = document.createRange();
    range.setStart(one.firstChild, 0);
    range.setEnd(one.firstChild, 1);
    const letter = box(range);
    return { direction: style(one).direction, left: letter.left - box(one).left, right: box(one).right - letter.right };
  }

  return { overflow, charts, crowded, faint, firstLetter };
})()
