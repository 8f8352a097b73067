// SPDX-License-Identifier: Apache-2.0
//
// Draws the figures of the page with Chart.js, from the data that report.lua put into it, and tells in the canvas's
// label what a figure shows. All text is in the page already; this adds what can be pointed at: legends that switch
// lines, the choice between runs. Nothing here asks a host for anything.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = new Map(); // figure's id -> Chart
  const root = document.documentElement;

  const color = (name, alpha) => {
    const value = getComputedStyle(root).getPropertyValue("--" + name).trim();
    return alpha === undefined ? value : value + Math.round(alpha * 255).toString(16).padStart(2, "0");
  };
  const ofPolicy = (policy, alpha) => color(policy === 2 ? "b" : "a", alpha);

  // ---- values as text, as format.lua has them ----

  const short = (value) => {
    const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : Math.abs(value) >= 0.9995 ? 2 : 3;
    return Number(value.toFixed(digits)).toLocaleString("en-US", { maximumFractionDigits: digits });
  };
  const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];
  const time = (value) => {
    const seconds = value >= 60 ? Math.round(value) : value;
    const i = UNITS.findIndex((unit) => seconds >= unit[1]);
    if (i < 0) return seconds > 0 && seconds < 0.9995 ? short(seconds * 1000) + " ms" : short(seconds) + " s";
    const rest = seconds % UNITS[i][1];
    const [name, size] = UNITS[i + 1] || ["s", 1];
    const part = Math.floor(rest / size);
    return Math.floor(seconds / UNITS[i][1]).toLocaleString("en-US") + " " + UNITS[i][0] +
      (part > 0 ? " " + part + " " + name : "");
  };
  const count = (value) => Math.abs(value) >= 1e7 ? short(value / 1e6) + " M" :
    Math.abs(value) >= 1e4 ? short(value / 1e3) + " k" : short(value);
  const TEXTS = { s: time, share: (value) => short(value * 100) + " %", count };
  const text = (value, unit) => (TEXTS[unit] || short)(value);

  // ---- axes ----

  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 432000, 864000, 2592000, 8640000];
  const DECADES = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 21600, 86400, 864000, 8640000];
  const timeTicks = (scale) => {
    const most = Math.max(2.5, (scale.chart.width - 60) / 66);
    const range = scale.max - scale.min;
    const step = STEPS.find((one) => range / one <= most) || range / most;
    scale.ticks = [];
    for (let i = 0; i * step <= range * 1.000001; i++) scale.ticks.push({ value: scale.min + i * step });
  };

  const axisOf = (axis) => {
    const options = {
      type: axis.log ? "logarithmic" : "linear",
      min: axis.min, max: axis.max,
      title: { display: true, text: axis.title, color: color("muted") },
      grid: { color: color("grid"), borderColor: color("line"), tickColor: color("line") },
      ticks: { color: color("muted"), maxRotation: 0, callback: (value) => text(value, axis.unit) },
    };
    if (axis.log) {
      options.afterBuildTicks = (scale) => {
        scale.ticks = DECADES.filter((value) => value >= scale.min && value <= scale.max).map((value) => ({ value }));
      };
    } else if (axis.unit === "s") {
      options.afterBuildTicks = timeTicks;
    } else {
      options.ticks.maxTicksLimit = 6;
    }
    return options;
  };

  const tooltip = () => ({
    backgroundColor: color("surface"), borderColor: color("line"), borderWidth: 1, titleColor: color("ink"),
    bodyColor: color("ink"), footerColor: color("muted"), padding: 8, displayColors: true, boxPadding: 3,
  });

  const options = (x, y, more) => Object.assign({
    animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    plugins: { legend: { display: false }, tooltip: tooltip() },
    scales: { x, y },
  }, more);

  // ---- columns ----

  const unpack = (column) => column.v.map((value) => value < 0 ? NaN : column.m ? value * column.m : value / column.d);

  const points = (one, axis) => {
    if (one.quantiles) {
      const waits = unpack(one.x);
      return waits.map((wait, i) => ({ x: Math.max(wait, axis.min), y: i / (waits.length - 1) }));
    }
    const values = unpack(one.y).map((y, i) => ({ x: i * one.x.width, y }));
    values.push({ x: Math.min(one.x.count * one.x.width, axis.max), y: values[values.length - 1].y });
    return values;
  };

  // The faults as lines from bottom to top, on an axis of their own; many of them as marks at the top alone.
  const markSet = (marks) => {
    const times = unpack(marks.at);
    const few = times.length <= 40;
    return {
      type: "line", label: "faults", yAxisID: "mark", texts: few ? marks.texts.flatMap((one) => [one, one, one]) : marks.texts,
      data: times.flatMap((x) => few ? [{ x, y: 0 }, { x, y: 1 }, { x, y: NaN }] : [{ x, y: 1 }]),
      borderColor: color("ink"), borderWidth: few ? 1 : 0, borderDash: [2, 3], showLine: few,
      pointRadius: few ? 0 : 3, pointStyle: "triangle", pointBackgroundColor: color("muted"), parsing: false,
    };
  };
  const addMarks = (config, marks) => {
    if (marks) {
      config.data.datasets.push(markSet(marks));
      config.options.scales.mark = { type: "linear", axis: "y", position: "right", offset: false, display: false, min: 0, max: 1 };
    }
    return config;
  };

  const lineLabel = (figure) => (item) => item.dataset.texts ? " " + item.dataset.texts[item.dataIndex] :
    " " + item.dataset.label + ": " + text(item.parsed.y, figure.y.unit);

  const DASHES = { solid: [], dashed: [5, 4], faint: [] };
  const drawLine = (figure) => {
    // B is thin and above A, so that both are seen where they are the same.
    const wide = (one) => one.style !== "solid" ? 1.1 : one.policy === 1 && data.policies.length > 1 ? 2.75 : 1.5;
    const config = { type: "line", data: {
      datasets: figure.series.map((one) => ({
        label: one.name, order: one.policy === 1 ? 1 : 0, data: points(one, figure.x), parsing: false, stepped: figure.time ? true : false,
        borderColor: ofPolicy(one.policy, one.style === "faint" ? 0.35 : 1), borderDash: DASHES[one.style],
        backgroundColor: ofPolicy(one.policy), borderWidth: wide(one), pointRadius: 0,
        pointHoverRadius: 3, spanGaps: false,
      })),
    }, options: options(axisOf(figure.x), axisOf(figure.y)) };
    config.options.plugins.tooltip.callbacks = {
      title: (items) => items.length ? text(items[0].parsed.x, "s") : "", label: lineLabel(figure),
    };
    if (!figure.time) config.options.interaction = { mode: "nearest", axis: "xy", intersect: false };
    return addMarks(config, figure.marks);
  };

  // ---- agents ----

  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const levelAt = (figure, row, step) => LEVELS.indexOf(figure.cells[row][step]) / (LEVELS.length - 1);

  // The cells as a picture of one pixel each, in the policy's color, the stronger the more is in use.
  const cellsOf = (figure) => {
    const picture = document.createElement("canvas");
    picture.width = figure.count;
    picture.height = figure.rows.length;
    const context = picture.getContext("2d");
    const image = context.createImageData(picture.width, picture.height);
    const rgb = ofPolicy(figure.policy).match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    for (let row = 0, at = 0; row < picture.height; row++) {
      for (let step = 0; step < picture.width; step++, at += 4) {
        const level = levelAt(figure, row, step);
        image.data.set([rgb[0], rgb[1], rgb[2], level < 0 ? 0 : 18 + Math.round(level * 237)], at);
      }
    }
    context.putImageData(image, 0, 0);
    return picture;
  };

  // Labels of rows that stand at least 14 pixels from each other.
  const rowTicks = (labels, middle) => (scale) => {
    const pixels = (scale.chart.height - 60) / labels.length;
    let last = -Infinity;
    scale.ticks = [];
    labels.forEach((label, i) => {
      if (label !== "" && (i - last) * pixels >= 14) {
        scale.ticks.push({ value: i + middle, label });
        last = i;
      }
    });
  };
  const rowAxis = (axis, labels, middle) => ({
    title: { display: true, text: axis.title, color: color("muted") },
    grid: { display: false, borderColor: color("line") },
    ticks: { color: color("muted"), autoSkip: false, font: { size: 10 },
      callback: (value) => (labels[Math.floor(value)] || "").slice(0, 18) },
    afterBuildTicks: rowTicks(labels, middle),
  });

  const drawHeat = (figure, element) => {
    const y = Object.assign(rowAxis(figure.y, figure.rows, 0.5), {
      type: "linear", min: 0, max: figure.rows.length, reverse: true });
    const config = { type: "scatter", data: { datasets: [] }, options: options(axisOf(figure.x), y) };
    const picture = cellsOf(figure);
    config.plugins = [{ id: "cells", beforeDatasetsDraw: (chart) => {
      const { x, y: rows } = chart.scales;
      const left = x.getPixelForValue(0);
      const width = x.getPixelForValue(figure.count * figure.width) - left;
      chart.ctx.save();
      chart.ctx.imageSmoothingEnabled = width * chart.currentDevicePixelRatio < picture.width;
      chart.ctx.drawImage(picture, left, rows.top, width, rows.bottom - rows.top);
      chart.ctx.restore();
    } }];
    const told = document.createElement("output");
    element.querySelector(".plot").after(told);
    config.options.onHover = (event, items, chart) => {
      const row = Math.floor(chart.scales.y.getValueForPixel(event.y));
      const step = Math.floor(chart.scales.x.getValueForPixel(event.x) / figure.width);
      const there = row >= 0 && row < figure.rows.length && step >= 0 && step < figure.count;
      const level = there ? levelAt(figure, row, step) : -1;
      told.textContent = there ? figure.rows[row] + ", from " + time(step * figure.width) + ": " +
        (level < 0 ? "not there" : text(level, "share")) : "";
    };
    return addMarks(config, figure.marks);
  };

  const STATES = ["finished", "still running", "failed, killed or lost"];
  const drawTasks = (figure) => {
    const start = unpack(figure.start);
    const stop = unpack(figure.stop);
    const fills = [ofPolicy(figure.policy, 0.85), ofPolicy(figure.policy, 0.35), color("other")];
    const bars = (state) => {
      const chosen = figure.state.flatMap((one, i) => one === state ? [i] : []);
      return {
        label: STATES[state], grouped: false, barPercentage: 0.86, categoryPercentage: 1, minBarLength: 1,
        backgroundColor: fills[state], borderColor: color("surface"), borderWidth: { left: 0.5, right: 0.5 },
        borderSkipped: false, data: chosen.map((i) => ({ x: [start[i], stop[i]], y: String(figure.at[i]) })),
        texts: chosen.map((i) => " " + figure.names[i] + ", " + time(start[i]) + " to " + time(stop[i])),
      };
    };
    const y = Object.assign(rowAxis(figure.y, figure.lanes, 0), { type: "category", labels: figure.lanes.map((_, i) => String(i)) });
    const config = { type: "bar", data: { datasets: STATES.map((_, state) => bars(state)) },
      options: options(axisOf(figure.x), y, { indexAxis: "y", normalized: false,
        interaction: { mode: "nearest", intersect: true, axis: "xy" } }) };
    config.options.plugins.tooltip.callbacks = {
      title: (items) => items.length ? figure.lanes.slice(0, items[0].parsed.y + 1).filter((lane) => lane).pop() || "" : "",
      label: (item) => item.dataset.texts[item.dataIndex],
    };
    return addMarks(config, figure.marks);
  };

  // ---- figures ----

  const DRAW = { line: drawLine, heat: drawHeat, tasks: drawTasks };
  const heightOf = (figure) => figure.kind === "heat" ? Math.min(420, Math.max(130, figure.rows.length * 16 + 64)) :
    Math.min(900, Math.max(150, figure.lanes.length * 9 + 64));

  // What a chart shows, in words, out of the chart itself.
  const describe = (chart, figure, element) => {
    const sets = chart.data.datasets.filter((set) => set.data.length > 0);
    const { x, y } = chart.scales;
    const vertical = figure.kind === "line" ? ", " + text(y.min, figure.y.unit) + " to " + text(y.max, figure.y.unit) : "";
    const label = element.querySelector("h3").textContent + ". Horizontal: " + x.options.title.text + ", " +
      text(x.min, "s") + " to " + text(x.max, "s") + ". Vertical: " + y.options.title.text + vertical + ". " +
      (figure.kind === "heat" ? figure.rows.length + " rows of agents, " + figure.count + " steps. " : "") +
      (sets.length ? "Series: " + sets.map((set) => set.label + " (" + set.data.length + " points)").join("; ") + ". " : "") +
      "The numbers are in the table below.";
    chart.canvas.setAttribute("role", "img");
    chart.canvas.setAttribute("aria-label", label);
    element.dataset.drawn = String(sets.reduce((sum, set) => sum + set.data.length,
      figure.kind === "heat" ? figure.rows.length * figure.count : 0));
  };

  const draw = (element) => {
    const figure = data.figures[element.id];
    const plot = element.querySelector(".plot");
    if (!figure) return;
    if (charts.has(element.id)) {
      charts.get(element.id).destroy();
      element.querySelectorAll("output").forEach((one) => one.remove());
    }
    if (figure.kind !== "line") plot.style.height = heightOf(figure) + "px";
    const chart = new Chart(plot.querySelector("canvas"), DRAW[figure.kind](figure, element));
    element.querySelectorAll(".legend [aria-pressed=false]").forEach((button) => {
      chart.setDatasetVisibility(Number(button.parentElement.dataset.series), false);
    });
    chart.update();
    charts.set(element.id, chart);
    describe(chart, figure, element);
  };

  // Each entry of a legend becomes a button that hides and shows what it names.
  const switchable = (element) => element.querySelectorAll(".legend li[data-series]").forEach((entry) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(...entry.childNodes);
    entry.append(button);
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      const chart = charts.get(element.id);
      button.setAttribute("aria-pressed", String(shown));
      chart.setDatasetVisibility(Number(entry.dataset.series), shown);
      chart.update();
    });
  });

  const drawShown = (again) => {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 11;
    document.querySelectorAll("figure").forEach((element) => {
      if (!element.closest("[hidden]") && (again || !charts.has(element.id))) draw(element);
    });
  };

  // ---- the choice between runs ----

  root.classList.add("draws");
  const choice = document.getElementById("choice");
  const show = (world) => {
    const chosen = document.querySelector('.world[data-world="' + world + '"]');
    document.querySelectorAll(".world").forEach((one) => { one.hidden = one !== chosen; });
    document.querySelectorAll(".set").forEach((one) => { one.hidden = one.dataset.set !== chosen.dataset.set; });
    drawShown(false);
  };

  document.querySelectorAll("figure").forEach(switchable);
  if (choice) {
    const select = choice.querySelector("select");
    choice.hidden = false;
    choice.addEventListener("submit", (event) => event.preventDefault());
    select.addEventListener("change", () => show(select.value));
    show(select.value);
  } else {
    drawShown(false);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawShown(true));
  const paper = (on) => () => { root.classList.toggle("paper", on); drawShown(true); };
  addEventListener("beforeprint", paper(true));
  addEventListener("afterprint", paper(false));
})();
