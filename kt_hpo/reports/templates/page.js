"use strict";
const { columns, rows, best_is_high: bestIsHigh } = JSON.parse(document.getElementById("data").textContent);
const byTrial = new Map(rows.map((row) => [row[0], row]));
const tip = document.getElementById("tip");
const say = (value) => {
  if (value === null) return "";
  if (typeof value !== "number") return String(value);
  const short = Number(value.toPrecision(5));
  return short !== 0 && Math.abs(short) < 1e-4 ? short.toExponential() : String(short);
};
const make = (name, text, parent) => {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  return made;
};
let chosen = null;

// The trials of a chart with their places, as shares of its width and height.
const charts = [...document.querySelectorAll(".plot")].map((plot) => {
  const points = [];
  const { width, height } = plot.firstElementChild.viewBox.baseVal;
  const add = (trial, x, y) => points.push({ trial, x: x / width, y: y / height });
  for (const group of plot.querySelectorAll("g[data-trials]")) {
    const trials = group.dataset.trials.split(" ").map(Number);
    [...group.querySelectorAll(":scope > use, :scope > path")].forEach((drawn, index) => {
      if (group.classList.contains("lines")) {
        // A curve that lies wholly beyond the axis has no points.
        for (const [, x, y] of (drawn.getAttribute("d") ?? "").matchAll(/[ML] (\S+) (\S+)/g)) add(trials[index], x, y);
      } else {
        const box = drawn.getBBox();
        add(trials[index], box.x + box.width / 2, box.y + box.height / 2);
      }
    });
  }
  return { plot, points };
});

function nearest({ plot, points }, event) {
  const box = plot.getBoundingClientRect();
  let found = null;
  let least = 24 ** 2;
  for (const point of points) {
    const far = (box.left + point.x * box.width - event.clientX) ** 2
      + (box.top + point.y * box.height - event.clientY) ** 2;
    if (far < least) [found, least] = [point, far];
  }
  return found;
}

function mark(trial) {
  document.querySelectorAll(".mark").forEach((old) => old.remove());
  document.querySelectorAll("tr.chosen").forEach((row) => row.classList.remove("chosen"));
  if (trial === null) return;
  for (const { plot, points } of charts) {
    const own = points.filter((point) => point.trial === trial);
    if (!own.length) continue;
    const last = own[own.length - 1];
    const ring = make("i", "", plot);
    ring.className = "mark";
    ring.style.left = `${100 * last.x}%`;
    ring.style.top = `${100 * last.y}%`;
  }
  document.querySelectorAll(`tr[data-trial="${trial}"]`).forEach((row) => row.classList.add("chosen"));
}

function tell(trial, event) {
  const row = byTrial.get(trial) || [trial];
  tip.replaceChildren();
  make("b", `Trial ${trial}`, tip);
  row.slice(1).forEach((value, index) => {
    if (value === null || index > 14) return;
    const line = make("div", "", tip);
    make("span", `${columns[index + 1]} `, line);
    line.append(say(value).slice(0, 120));
  });
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = event.clientX + 16 + width > innerWidth ? event.clientX - 16 - width : event.clientX + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 12, innerHeight - height - 4))}px`;
}

function choose(trial) {
  chosen = chosen === trial ? null : trial;
  mark(chosen);
}

for (const chart of charts) {
  chart.plot.addEventListener("pointermove", (event) => {
    const point = nearest(chart, event);
    mark(point ? point.trial : chosen);
    if (point) tell(point.trial, event);
    else tip.hidden = true;
  });
  chart.plot.addEventListener("pointerleave", () => { tip.hidden = true; mark(chosen); });
  chart.plot.addEventListener("click", (event) => {
    const point = nearest(chart, event);
    choose(point ? point.trial : chosen);
  });
}

const table = document.getElementById("table");
if (table) {
  const [head, body] = [table.tHead, table.tBodies[0]];
  const more = document.getElementById("more");
  const filter = document.getElementById("filter");
  const numeric = columns.map((_, index) => rows.every(({ [index]: v }) => v === null || typeof v === "number"));
  let [sorted, upward, length, listed] = [columns.length > 2 ? 2 : 0, !bestIsHigh, 50, rows];

  const draw = () => {
    body.replaceChildren();
    for (const row of listed.slice(0, length)) {
      const line = make("tr", "", body);
      line.dataset.trial = row[0];
      line.className = row[1] + (row[0] === chosen ? " chosen" : "");
      row.forEach((value, index) => {
        const cell = make("td", say(value), line);
        if (numeric[index]) cell.className = "number";
        else if (value !== null) cell.title = say(value);
      });
    }
    more.hidden = listed.length <= length;
    document.getElementById("shown").textContent =
      `${Math.min(length, listed.length).toLocaleString("en")} of ${listed.length.toLocaleString("en")}`;
  };
  const arrange = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    listed = rows.filter((row) => {
      const text = row.map(say).join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const sign = upward ? 1 : -1;
    listed.sort(({ [sorted]: a }, { [sorted]: b }) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" && typeof b === "number" ? a - b : say(a).localeCompare(say(b), "en"));
    });
    [...titles.children].forEach((title, index) =>
      title.setAttribute("aria-sort", index !== sorted ? "none" : upward ? "ascending" : "descending"));
    draw();
  };
  const titles = make("tr", "", head);
  columns.forEach((name, index) => {
    const title = make("button", "", make("th", "", titles));
    for (const part of name.split(/(?<=_)/)) title.append(part, document.createElement("wbr"));
    title.addEventListener("click", () => {
      [sorted, upward] = [index, index === sorted ? !upward : true];
      arrange();
    });
  });
  filter.addEventListener("input", arrange);
  more.addEventListener("click", () => { length += 200; draw(); });
  arrange();
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("tbody tr[data-trial]");
  if (row) choose(Number(row.dataset.trial));
});
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}
