// Draws every chart over its still picture, in the reader's colours and at the reader's width.
// vegaEmbed is in scope: this snippet is bundled together with Vega.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const configs = read("chart-configs");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

const pen = document.createElement("canvas").getContext("2d");

// Breaks a title into lines: Vega would let it run on, and the chart's edge cut it off.
function wrapped(text, font, room) {
  pen.font = `${font} ${configs.light.font}`;
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function fitted(source, width) {
  const spec = structuredClone(source);
  const hints = spec.usermeta;
  const room = Math.max(width, hints.least);
  spec.usermeta = undefined;
  const { fontSize, fontWeight, subtitleFontSize } = configs.light.title;
  const { text, subtitle } = spec.title;
  spec.title.text = [text].flat().flatMap((line) => wrapped(line, `${fontWeight} ${fontSize}px`, width - 20));
  spec.title.subtitle = [subtitle].flat().flatMap((line) => wrapped(line, `${subtitleFontSize}px`, width - 20));
  if (spec.facet) {
    const gap = hints.gap;
    const fits = Math.floor(room / (hints.cell ?? 150));
    const fewest = hints.fewest ?? Math.min(2, spec.columns);
    const columns = Math.max(fewest, Math.min(spec.columns, fits));
    const cell = Math.floor((room - 16) / columns) - gap;
    spec.columns = columns;
    spec.spec.width = Math.min(cell, hints.widest ?? 190);
    return spec;
  }
  spec.width = room;
  spec.autosize = { type: "fit-x", contains: "padding" };
  return spec;
}

async function draw(chart) {
  const spec = fitted(read(chart.dataset.spec), chart.clientWidth);
  const live = chart.querySelector(".live");
  const options = {
    actions: false,
    ast: true,
    renderer: "svg",
    config: configs[dark.matches ? "dark" : "light"],
    tooltip: { theme: dark.matches ? "dark" : "light" },
  };
  if (chart.view) chart.view.finalize();
  chart.view = await vegaEmbed(live, spec, options);
  chart.classList.add("is-live");
}

const charts = [...document.querySelectorAll(".chart")];
let width = 0;
async function drawAll(force) {
  if (!force && width === document.documentElement.clientWidth) return;
  width = document.documentElement.clientWidth;
  delete document.documentElement.dataset.drawn;
  for (const chart of charts) {
    // The still picture stays where a chart cannot be drawn.
    await draw(chart).catch((error) => {
      chart.classList.remove("is-live");
      console.error(error);
    });
  }
  document.documentElement.dataset.drawnAt = width;
  document.documentElement.dataset.drawn = charts.filter((chart) => chart.classList.contains("is-live")).length;
}
let waiting;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => drawAll(false), 150);
});
dark.addEventListener("change", () => drawAll(true));
drawAll(true);
