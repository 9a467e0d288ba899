// Draws the charts of the page as they come near the window: a figure waits as JSON, colours come
// from the theme. Plotly is fetched once, for the first chart that is drawn.
"use strict";

(() => {
  const CONFIG = { displaylogo: false, displayModeBar: false, responsive: true };
  const NEAR = "1200px 0px";
  const NARROW_PX = 480;
  const DEEPEST_CELL = 0.5; // of a heatmap: text stays legible on it in both themes
  const NARROW_ROOM = 1.25; // what is written behind a bar takes more of a narrow chart
  const PICTURE = { width: 1000, height: 720 };
  const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const probe = document.createElement("span");
  probe.hidden = true;

  const colour = (role) => {
    probe.style.color = `var(--${role})`;
    if (!probe.isConnected) document.body.append(probe);
    return getComputedStyle(probe).color;
  };
  const seriesColour = (trace) => colour(`chart-${trace.meta.slot + 1}`);
  const faint = (rgb) => rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");
  const mixed = (from, to, share) => {
    const [start, end] = [from, to].map((rgb) => rgb.match(/[\d.]+/g).map(Number));
    const parts = [0, 1, 2].map((at) => Math.round(start[at] + (end[at] - start[at]) * share));
    return `rgb(${parts.join(", ")})`;
  };
  const axis = (own) => ({
    gridcolor: colour("border"),
    linecolor: colour("border-strong"),
    zerolinecolor: colour("border-strong"),
    ...own,
  });

  // On a telephone labels stand closer: those of a radar beside it, those of bars behind them.
  const fitted = (layout, widthPx) => {
    if (widthPx >= NARROW_PX) return layout;
    const own = { ...layout, font: { ...layout.font, size: 10 } };
    if (layout.polar) return { ...own, margin: { ...layout.margin, l: 64, r: 64 } };
    const [least, greatest] = layout.xaxis.range;
    return { ...own, xaxis: { ...layout.xaxis, range: [least, greatest * NARROW_ROOM] } };
  };

  const themedLayout = (layout) => {
    const own = {
      ...layout,
      showlegend: false, // the page has one of its own, which tells the marks from each other too
      paper_bgcolor: "rgba(0, 0, 0, 0)",
      plot_bgcolor: "rgba(0, 0, 0, 0)",
      font: {
        ...layout.font,
        color: colour("text"),
        family: getComputedStyle(document.body).fontFamily,
      },
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

  // The colour belongs to the series, not to its place; filled areas lie over each other, and a
  // light tint keeps all in sight.
  const themedTrace = (trace) => {
    if (trace.type === "heatmap") {
      const darkest = mixed(colour("surface"), colour("chart-1"), DEEPEST_CELL);
      const colorscale = [[0, colour("surface")], [1, darkest]];
      return { ...trace, colorscale, textfont: { color: colour("text") } };
    }
    const own = seriesColour(trace);
    const line = trace.line && { ...trace.line, color: own };
    const marker = { ...trace.marker, color: own };
    if (marker.pattern) marker.pattern = { ...marker.pattern, fgcolor: colour("surface") };
    return { ...trace, marker, ...(line && { line }), ...(trace.fill && { fillcolor: faint(own) }) };
  };

  let library;
  const fetchLibrary = (address) => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return library;
  };

  const draw = (plot) => {
    const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
    const layout = themedLayout(fitted(figure.layout, plot.clientWidth));
    plot.querySelector(".chart__wait")?.remove();
    Plotly.newPlot(plot, figure.data.map(themedTrace), layout, CONFIG);
    plot.dataset.drawn = "";
    const buttons = plot.closest(".chart").querySelectorAll("[data-picture]");
    for (const button of buttons) button.hidden = false;
  };

  const drawFirst = async (plot) => {
    try {
      await fetchLibrary(plot.dataset.library);
    } catch {
      plot.querySelector(".chart__wait").textContent =
        "The chart could not be loaded; the table has the same figures.";
      return;
    }
    if (plot.isConnected) draw(plot);
  };

  const nearness = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        nearness.unobserve(target);
        drawFirst(target);
      }
    },
    { rootMargin: NEAR },
  );

  const watch = (root) => {
    for (const plot of root.querySelectorAll("[data-figure]:not([data-drawn])")) {
      plot.querySelector(".chart__wait").textContent = "The chart is being drawn …";
      nearness.observe(plot);
    }
  };

  const redrawAll = () => document.querySelectorAll("[data-drawn]").forEach(draw);

  // A picture stands alone: it says what it shows and has a ground of its own.
  const savePicture = (chart, format) => {
    const plot = chart.querySelector("[data-drawn]");
    const layout = {
      ...plot.layout,
      ...PICTURE,
      paper_bgcolor: colour("surface"),
      showlegend: plot.data.length > 1,
      title: { text: chart.querySelector(".chart__title").textContent, x: 0.02 },
      margin: { ...plot.layout.margin, t: 90 },
    };
    const options = { format, filename: plot.dataset.file, ...PICTURE };
    return Plotly.downloadImage({ data: plot.data, layout }, options);
  };

  // What the pointer shows at a point, the arrow keys show too: along the axes, or across series.
  const plain = (text) => String(text).replaceAll("<br>", " ");
  // A line of points is a trace, or a row of a heatmap: how many points, what each says, where it is.
  const lineOf = (trace, curveNumber) => {
    if (trace.hovertext) {
      return {
        length: trace.x.length,
        words: (point) => plain(trace.hovertext[point]),
        isKnown: (point) => (trace.y[point] ?? null) !== null && trace.x[point] !== null,
        place: (pointNumber) => ({ curveNumber, pointNumber }),
      };
    }
    const values = trace.r ?? trace.x;
    const isKnown = (point) => values[point] !== null;
    const label = (point) => plain((trace.theta ?? trace.y)[point]);
    const shown = (point) => (isKnown(point) ? (trace.text[point] ?? values[point]) : "not known");
    return {
      length: trace.theta ? trace.theta.length - 1 : trace.y.length,
      words: (point) => `${plain(trace.name)}: ${label(point)}: ${shown(point)}`,
      isKnown,
      place: (pointNumber) => ({ curveNumber, pointNumber }),
    };
  };
  const rowOf = (trace, row) => ({
    length: trace.x.length,
    words: (point) => plain(trace.hovertext[row][point]),
    isKnown: (point) => trace.z[row][point] !== null,
    place: (point) => ({ curveNumber: 0, xval: point, yval: row }),
  });
  const linesOf = (plot) =>
    plot.data[0].type === "heatmap"
      ? plot.data[0].z.map((_, row) => rowOf(plot.data[0], row)).reverse() // Up is the next row up
      : plot.data.map(lineOf);
  const read = (plot, step) => {
    const lines = linesOf(plot);
    const { series = 0, point = -1 } = plot.reading ?? {};
    const next = (series + step[1] + lines.length) % lines.length;
    const line = lines[next];
    const at = (Math.max(point + step[0], step[0] ? -1 : 0) + line.length) % line.length;
    plot.reading = { series: next, point: at };
    plot.closest(".chart").querySelector("[data-point]").textContent = line.words(at);
    if (line.isKnown(at)) {
      Plotly.Fx.hover(plot, [line.place(at)], plot.layout.polar ? "polar" : "xy");
    } else {
      Plotly.Fx.unhover(plot);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picture]");
    if (button) savePicture(button.closest(".chart"), button.dataset.picture);
  });
  document.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || !event.target.matches("[data-drawn]")) return;
    event.preventDefault();
    read(event.target, step);
  });
  document.addEventListener("themechange", redrawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  document.addEventListener("htmx:load", (event) => watch(event.target));
  watch(document);
})();
