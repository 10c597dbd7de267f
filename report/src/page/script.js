"use strict";
(() => {
  const UNITS = {
    Micros: (v) => (v < 1e3 ? digits(v) + " µs" : v < 1e6 ? digits(v / 1e3) + " ms" : digits(v / 1e6) + " s"),
    Seconds: (v) => (Math.abs(v) <= 300 ? digits(v) + " s" : Math.abs(v) <= 10800 ? digits(v / 60) + " min" : digits(v / 3600) + " h"),
    Share: (v) => digits(v * 100) + " %",
    PerSecond: (v) => digits(v) + "/s",
    Mib: (v) => digits(v) + " MiB",
    Millicores: (v) => digits(v / 1000) + " processors",
    Percentile: (v) => "p" + digits(100 - 100 / v),
    Number: (v) => digits(v),
  };
  const digits = (v) => (Number.isInteger(v) ? String(v) : String(Number(v.toPrecision(4))));

  /** The rows of a CSV text. */
  const rows = (text) => {
    const all = [];
    let row = [], field = "", quoted = false;
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      if (quoted) {
        if (c === '"' && text[i + 1] === '"') { field += c; i++; } else if (c === '"') quoted = false; else field += c;
      } else if (c === '"') quoted = true;
      else if (c === ",") { row.push(field); field = ""; }
      else if (c === "\n") { row.push(field); all.push(row); row = []; field = ""; }
      else field += c;
    }
    return all;
  };

  /** The values of a figure: by series their points. */
  const series = (text) => {
    const [header, ...values] = rows(text);
    const found = new Map();
    const put = (name, x, y, more) => {
      if (x === "" || y === "") return;
      if (!found.has(name)) found.set(name, []);
      found.get(name).push([Number(x), Number(y), more]);
    };
    for (const row of values) {
      if (header[0] === "x") header.slice(1).forEach((name, i) => put(name, row[0], row[i + 1], ""));
      else put(row[0], row[1], row[2], row[3]);
    }
    return found;
  };

  /** An axis from its description: place of a value, and its text. */
  const axis = (text) => {
    const [scale, begin, end, quantity] = text.split(" ");
    const [a, b] = [Number(begin), Number(end)];
    const place = scale === "log" ? (v) => Math.log(Math.max(v, a) / a) / Math.log(b / a) : (v) => (v - a) / (b - a);
    return { place, text: UNITS[quantity] };
  };

  const chart = (figure) => {
    const svg = figure.querySelector("svg");
    const data = figure.querySelector("pre.data");
    const layers = [...svg.querySelectorAll("g[data-name]")];
    const hidden = new Set();
    const names = new Set(layers.map((layer) => layer.dataset.name));
    if (names.size > 1) {
      const box = document.createElement("div");
      box.className = "toggles";
      for (const name of names) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = name;
        button.setAttribute("aria-pressed", "true");
        button.addEventListener("click", () => {
          const show = hidden.delete(name) || (hidden.add(name), false);
          button.setAttribute("aria-pressed", String(show));
          const named = layers.filter((layer) => layer.dataset.name === name);
          named.forEach((layer) => layer.setAttribute("visibility", show ? "visible" : "hidden"));
        });
        box.append(button);
      }
      svg.after(box);
    }
    if (!data || !svg.dataset.pointer) return;
    const output = document.createElement("output");
    svg.after(output);
    const [x, y] = [axis(svg.dataset.x), axis(svg.dataset.y)];
    const [left, top, width, height] = svg.dataset.plot.split(" ").map(Number);
    const guide = document.createElementNS("http://www.w3.org/2000/svg", "path");
    guide.setAttribute("class", "guide");
    svg.append(guide);
    let values = null;
    const clear = () => { output.textContent = ""; guide.setAttribute("d", ""); };
    svg.addEventListener("pointerleave", clear);
    svg.addEventListener("pointermove", (event) => {
      values ??= series(data.textContent);
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      if (at.x < left || at.x > left + width || at.y < top || at.y > top + height) return clear();
      const [px, py] = [(at.x - left) / width, 1 - (at.y - top) / height];
      const scatter = svg.dataset.pointer === "point";
      const far = (p) => Math.abs(x.place(p[0]) - px) + (scatter ? Math.abs(y.place(p[1]) - py) : 0);
      const found = [];
      for (const [name, points] of values) {
        if (hidden.has(name) || points.length === 0) continue;
        const nearest = points.reduce((best, p) => (far(p) < far(best) ? p : best));
        found.push([name, nearest]);
      }
      if (found.length === 0) return clear();
      const first = found.reduce((best, it) => (far(it[1]) < far(best[1]) ? it : best))[1];
      const gx = left + Math.min(Math.max(x.place(first[0]), 0), 1) * width;
      guide.setAttribute("d", `M${gx} ${top}v${height}`);
      const shown = scatter ? found.filter((it) => it[1] === first) : found;
      output.textContent = x.text(first[0]) + ": " + shown.map(([name, p]) => `${p[2] || name} ${y.text(p[1])}`.trim()).join(", ");
    });
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "ascending" : "descending");
        const key = (row) => {
          const cell = row.cells[column];
          return cell.dataset.v === undefined ? cell.textContent : cell.dataset.v === "" ? -Infinity : Number(cell.dataset.v);
        };
        const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
        const sorted = [...body.rows].sort((a, b) => (down ? 1 : -1) * order(key(a), key(b)));
        body.append(...sorted);
      });
    });
  };

  document.querySelectorAll("figure.chart").forEach(chart);
  document.querySelectorAll("table.sortable").forEach(sortable);
})();
