// What the desk tells of its panels: legends, keys, choices, tables and checks.

import {radios} from "./controls.js";

export function hearPanels(root, channel) {
  const $ = id => root.getElementById(id);
  const all = (selector, within = root) => [...within.querySelectorAll(selector)];

  channel.hear("offered", ({panel, shown}) => { // by the system, but perhaps not at these controls
    const place = root.querySelector(`[data-panel="${panel}"]`);
    if (place) place.hidden = !shown;
  });

  channel.hear("check", ({index, computed, value, agrees, mark: told}) => {
    const row = root.querySelector(`[data-check="${index}"]`);
    row.querySelector(".value").textContent = computed;
    row.querySelector(".value").title = `reference: ${value}`;
    const mark = row.querySelector(".mark");
    mark.textContent = told;
    mark.classList.toggle("bad", !agrees);
  });

  channel.hear("table", ({name, head: first, columns, rows}) => {
    const head = document.createElement("tr");
    head.append(...[first, ...columns].map(text => cell("th", text, "col")));
    const body = rows.map(row => {
      const line = document.createElement("tr");
      const unit = row.unit ? ` [${row.unit}]` : "";
      line.append(cell("th", row.title + unit, "row"), ...row.cells.map(text => cell("td", text)));
      return line;
    });
    const place = $(name === "curve" ? "table-curve" : "table");
    place?.replaceChildren(...rows.length ? [head, ...body] : []);
    if (name === "curve") $("data-curve").hidden = !rows.length;
  });

  function cell(tag, text, scope) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  }

  channel.hear("legend", ({figure, names}) => { // lists what is drawn
    for (const one of all(`[data-legend="${figure}"] [data-drawn]`)) one.hidden = !names.includes(one.dataset.drawn);
  });

  const keys = {};
  channel.hear("key", ({panel, key}) => {
    if (JSON.stringify(key) === keys[panel]) return;
    keys[panel] = JSON.stringify(key);
    const place = root.querySelector(`[data-key="${panel}"]`);
    place.hidden = !key.length;
    place.replaceChildren(...key.map(([name, colour]) => {
      const item = document.createElement("span");
      const patch = document.createElement("i");
      patch.className = "patch";
      patch.style.setProperty("--c", colour);
      item.append(patch, name);
      return item;
    }));
  });

  const offered = {};
  channel.hear("choices", ({panel, names, chosen}) => { // a menu, or tabs
    const place = root.querySelector(`[data-choices="${panel}"]`), word = place.dataset.chooses;
    const menu = place.querySelector("select");
    if (JSON.stringify(names) !== offered[panel]) {
      offered[panel] = JSON.stringify(names);
      place.hidden = names.length < 2;
      if (menu) menu.replaceChildren(...names.map(([name, text]) => new Option(text, name)));
      else {
        place.replaceChildren(...names.map(([name, text]) => tab(name, text)));
        radios(all(".chip", place), chip => channel.say("view", {name: word, value: chip.dataset.choice}));
      }
    }
    if (menu) menu.value = chosen;
    for (const chip of all(".chip", place)) {
      const on = chip.dataset.choice === chosen;
      chip.setAttribute("aria-checked", on);
      chip.tabIndex = on ? 0 : -1;
    }
  });

  function tab(name, text) {
    const made = document.createElement("button");
    Object.assign(made, {type: "button", className: "chip", textContent: text});
    made.setAttribute("role", "radio");
    made.dataset.choice = name;
    return made;
  }
}
