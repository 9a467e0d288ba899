// Draws every chart of the page: a figure waits as JSON, colours come from the theme.
"use strict";

(() => {
  const CONFIG = { displaylogo: false, responsive: true };
  const COLOURS = 8;
  const NARROW_PX = 480;

  const probe = document.createElement("span");
  probe.hidden = true;
  const colour = (role) => {
    probe.style.color = `var(--${role})`;
    return getComputedStyle(probe).color;
  };

  const axis = (own) => ({
    gridcolor: colour("border"),
    linecolor: colour("border-strong"),
    zerolinecolor: colour("border-strong"),
    ...own,
  });

  // Labels of a radar need room beside it, which a telephone has little of.
  const fitted = (layout, widthPx) =>
    layout.polar && widthPx < NARROW_PX
      ? { ...layout, font: { ...layout.font, size: 10 }, margin: { ...layout.margin, l: 64, r: 64 } }
      : layout;

  const themed = (layout) => {
    const text = colour("text");
    const own = {
      ...layout,
      paper_bgcolor: "rgba(0, 0, 0, 0)",
      plot_bgcolor: "rgba(0, 0, 0, 0)",
      colorway: Array.from({ length: COLOURS }, (_, index) => colour(`chart-${index + 1}`)),
      font: { ...layout.font, color: text, family: getComputedStyle(document.body).fontFamily },
    };
    if (layout.polar) {
      own.polar = {
        ...layout.polar,
        bgcolor: "rgba(0, 0, 0, 0)",
        radialaxis: axis(layout.polar.radialaxis),
        angularaxis: axis(layout.polar.angularaxis),
      };
    } else {
      own.xaxis = axis(layout.xaxis);
      own.yaxis = axis(layout.yaxis);
    }
    return own;
  };

  // Filled areas lie over each other: a light tint of the trace's own colour keeps all in sight.
  const tinted = (trace, colours, index) =>
    trace.fill === "toself"
      ? { ...trace, fillcolor: colours[index % COLOURS].replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)") }
      : trace;

  const draw = (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    const layout = themed(fitted(figure.layout, plot.clientWidth));
    const data = figure.data.map((trace, index) => tinted(trace, layout.colorway, index));
    return Plotly.newPlot(plot, data, layout, CONFIG);
  };
  const drawAll = () => document.querySelectorAll("[data-figure]").forEach(draw);

  document.body.append(probe);
  drawAll();
  document.addEventListener("themechange", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
