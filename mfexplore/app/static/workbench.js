// The workbench page: wires the parts together and shows what the session says.

import {busy, connect, hear, say, sayLatest} from "./channel.js";
import * as controls from "./controls.js";
import * as plane from "./plane.js";
import {onTheme} from "./theme.js";

const $ = id => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const title = name => window.mfexplore.controls[name]?.title ?? name;

function toast(text, kind = "error") {
  const note = document.createElement("div");
  note.className = `toast ${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Dismiss");
  close.onclick = () => note.remove();
  note.append(words, close);
  $("toasts").append(note);
  setTimeout(() => note.remove(), kind === "error" ? 12000 : 8000);
}

// -- what the session says

let state = null;
hear("state", message => {
  state = message;
  if (!busy()) for (const [name, value] of Object.entries(message.values)) controls.show(name, value);
  if ($("seed") && document.activeElement !== $("seed")) $("seed").value = message.seed;
  for (const select of all("[data-view]")) select.value = message.view[select.dataset.view] ?? "";
  for (const chip of all("[data-along]")) {
    const on = chip.dataset.along === message.view.along;
    chip.setAttribute("aria-checked", on);
    chip.tabIndex = on ? 0 : -1;
    chip.textContent = `along ${title(message.view[chip.dataset.along])}`;
  }
  plane.turn(message.view);
  if ($("zoom-all")) $("zoom-all").hidden = !message.zoomed;
  $("undo").disabled = !message.undo;
  $("redo").disabled = !message.redo;
  for (const [name, text] of Object.entries(message.snippets)) if ($(name)) $(name).textContent = text;
  rememberAddress();
});

// A link says everything: the exploration after "?", and after "#" how one looks at it (pane, trace, speed).
const look = new URLSearchParams(location.hash.slice(1));
const link = () => `${location.pathname}${state ? `?${state.query}` : location.search}${look.size ? `#${look}` : ""}`;

let address = null;
function rememberAddress() { // browsers allow only so many changes of the address a second
  clearTimeout(address);
  address = setTimeout(() => history.replaceState(null, "", link()), 250);
}

function remember(name, value, usual) {
  if (String(value) === String(usual)) look.delete(name); else look.set(name, value);
  rememberAddress();
}

function lookAgain() { // as the link says; what it says wrongly is as if it said nothing
  const pane = $(`tab-${look.get("pane")}`), speed = Number(look.get("speed"));
  if (pane) pane.click(); else look.delete("pane");
  if (look.has("speed") && Number.isFinite(speed) && $("speed")) {
    $("speed").value = speed;
    $("speed").dispatchEvent(new Event("input"));
  }
  if (look.has("trace")) say("series", {name: look.get("trace")});
}

hear("sentence", ({headline, text, validity, trusted}) => {
  $("headline").textContent = `${headline}.`;
  $("said").textContent = text;
  $("validity").textContent = validity;
  $("validity").classList.toggle("doubt", !trusted);
});

hear("progress", ({what, fraction, text}) => {
  if (what === "ensemble") {
    $("measuring").textContent = fraction === null ? "" : `${text} ${Math.round(100 * fraction)} % …`;
    return;
  }
  const place = $("progress");
  if (!place) return;
  place.classList.toggle("done", fraction === null);
  const percent = fraction === null ? 100 : Math.round(100 * fraction);
  place.querySelector("b").style.width = `${percent}%`;
  place.querySelector(".bar").setAttribute("aria-valuenow", percent);
  $("progress-text").textContent = fraction === null ? text : `${text} …`;
  $("cancel").hidden = fraction === null;
});

hear("offered", ({panel, shown}) => { // by the system, but perhaps not at these controls
  const place = document.querySelector(`[data-panel="${panel}"]`);
  if (place) place.hidden = !shown;
});

hear("notice", ({text, kind}) => toast(text, kind));

hear("check", ({index, computed, value, agrees, mark: told}) => {
  const row = document.querySelector(`[data-check="${index}"]`);
  row.querySelector(".value").textContent = computed;
  row.querySelector(".value").title = `reference: ${value}`;
  const mark = row.querySelector(".mark");
  mark.textContent = told;
  mark.classList.toggle("bad", !agrees);
});

hear("table", ({columns, rows}) => {
  const head = document.createElement("tr");
  head.append(...["", ...columns].map(text => cell("th", text, "col")));
  const body = rows.map(row => {
    const line = document.createElement("tr");
    const unit = row.unit ? ` [${row.unit}]` : "";
    line.append(cell("th", row.title + unit, "row"), ...row.cells.map(text => cell("td", text)));
    return line;
  });
  $("table").replaceChildren(head, ...body);
});

function cell(tag, text, scope) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.scope = scope;
  return made;
}

hear("legend", ({figure, names}) => { // lists what is drawn
  for (const one of all(`[data-legend="${figure}"] [data-drawn]`)) one.hidden = !names.includes(one.dataset.drawn);
});

let keyShown = "";
function showKey(key) {
  if (JSON.stringify(key) === keyShown) return;
  keyShown = JSON.stringify(key);
  $("key").hidden = !key.length;
  $("key").replaceChildren(...key.map(([name, colour]) => {
    const item = document.createElement("span");
    const patch = document.createElement("i");
    patch.className = "patch";
    patch.style.setProperty("--c", colour);
    item.append(patch, name);
    return item;
  }));
}

let offered = "";
hear("traces", ({names, chosen}) => {
  if (JSON.stringify(names) !== offered) {
    offered = JSON.stringify(names);
    $("series").replaceChildren(...names.map(([name, text]) => new Option(text, name)));
    $("series").parentElement.hidden = names.length < 2;
  }
  $("series").value = chosen;
});

let playing = false;
hear("run", message => {
  playing = message.playing;
  const button = $("play");
  button.textContent = playing && !message.finished ? "❚❚" : "▶";
  button.setAttribute("aria-pressed", playing);
  button.setAttribute("aria-label", playing ? "Pause" : "Play");
  const time = Number(message.time.toPrecision(4));
  $("clock").textContent = `${time.toLocaleString("en")} ${message.unit}${message.finished ? ", finished" : ""}`;
});

hear("picture", ({shape, caption, key}) => {
  $("caption").textContent = caption;
  showKey(key);
  document.querySelector("[data-figure=state]").dataset.shape = shape;
});

hear("pins", ({titles}) => {
  $("pins-card").hidden = !titles.length;
  $("pins").replaceChildren(...titles.map((text, index) => {
    const item = document.createElement("li");
    const words = document.createElement("span");
    words.textContent = text;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "link";
    remove.textContent = "remove";
    remove.onclick = () => say("unpin", {index});
    item.append(words, remove);
    return item;
  }));
});

hear("answer", ({index, right, text, lesson}) => {
  const place = document.querySelector(`[data-task="${index}"] .answer`);
  place.hidden = false;
  place.classList.toggle("right", right);
  place.textContent = `${text} ${lesson}`;
});

hear("download", ({url}) => {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
});

// -- what a person does

function wireTabs() {
  const tabs = all("[role=tab]");
  const choose = tab => {
    for (const one of tabs) {
      const on = one === tab;
      one.setAttribute("aria-selected", on);
      one.tabIndex = on ? 0 : -1;
      $(one.getAttribute("aria-controls")).hidden = !on;
    }
    say("pane", {name: tab.textContent});
    remember("pane", tab.textContent, tabs[0].textContent);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", event => {
      const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!move) return;
      const next = tabs[(index + move + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
  });
  $("try")?.addEventListener("click", () => { choose($("tab-Tasks")); $("tab-Tasks").focus(); });
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or not https: the old way
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(said, "info");
}

function wireButtons() {
  const on = (id, tell) => $(id)?.addEventListener("click", tell);
  on("undo", () => say("undo"));
  on("redo", () => say("redo"));
  on("reset", () => say("reset"));
  on("pin", () => say("pin"));
  on("cancel", () => say("cancel"));
  on("play", () => say("play", {on: !playing}));
  on("step", () => say("step"));
  on("restart", () => say("restart"));
  on("help", () => $("keys").showModal());
  on("share", () => copy(location.origin + link(), "Link copied. It restores exactly this view."));
  $("speed")?.addEventListener("input", ({target}) => {
    target.style.setProperty("--filled", `${100 * (target.value - target.min) / (target.max - target.min)}%`);
    sayLatest("speed", {value: 10 ** Number(target.value)});
    remember("speed", target.value, 0);
  });
  $("series")?.addEventListener("change", ({target}) => {
    say("series", {name: target.value});
    remember("trace", target.value, state?.view.colour);
  });
  $("seed")?.addEventListener("change", event => say("seed", {value: event.target.value}));
  $("seed")?.addEventListener("keydown", event => { if (event.key === "Enter") event.target.blur(); });
  for (const select of all("[data-view]")) {
    select.addEventListener("change", () => say("view", {name: select.dataset.view, value: select.value}));
  }
  controls.radios(all("[data-along]"), chip => say("view", {name: "along", value: chip.dataset.along}));
  for (const chip of all("[data-preset]")) {
    chip.addEventListener("click", () => {
      say("preset", {name: chip.dataset.preset});
      $("watch").hidden = false;
      $("watch").textContent = chip.dataset.watch;
    });
  }
  for (const button of all("[data-export]")) {
    button.addEventListener("click", () => { $("export").open = false; say("export", {what: button.dataset.export}); });
  }
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", () => copy($(button.dataset.copy).textContent, "Copied."));
  }
  for (const task of all("[data-task]")) {
    const index = Number(task.dataset.task), guess = task.querySelector("input");
    task.querySelector("[data-task-start]").addEventListener("click", () => { say("task", {index}); $("tab-Explore").click(); });
    const reveal = () => {
      const value = Number(guess.value.replace(",", "."));
      if (guess.value.trim() === "" || !Number.isFinite(value)) toast("Predict first: a number, please.", "info");
      else say("reveal", {index, guess: value});
    };
    task.querySelector("[data-task-reveal]").addEventListener("click", reveal);
    guess.addEventListener("keydown", event => { if (event.key === "Enter") reveal(); });
  }
  document.addEventListener("click", event => { if (!event.target.closest("#export")) $("export").open = false; });
}

function wireKeys() {
  document.addEventListener("keydown", event => {
    const typing = event.target.closest("input:not([type=range]), select, textarea, dialog");
    if ((event.ctrlKey || event.metaKey) && !typing) {
      const key = event.key.toLowerCase();
      if (key === "z" || key === "y") { event.preventDefault(); say(key === "y" || event.shiftKey ? "redo" : "undo"); }
      return;
    }
    if (typing || event.altKey || event.metaKey) return;
    if (event.key === " " && !event.target.closest("button, summary")) { event.preventDefault(); $("play")?.click(); }
    if (event.key === "?") $("keys").showModal();
    if (event.key === "Escape") $("export").open = false;
    const click = {s: "step", r: "restart", p: "pin"}[event.key.toLowerCase()];
    if (click) $(click)?.click();
  });
}

// The address says everything that is on the screen, so a page whose server went away can open again as it was.
async function waitForServer() {
  history.replaceState(null, "", link());
  document.documentElement.dataset.connected = "false";
  $("lost").hidden = false;
  for (;;) {
    await new Promise(done => setTimeout(done, 1000));
    const answer = await fetch("own/icon.svg", {cache: "no-store"}).catch(() => null);
    if (answer?.ok) { location.reload(); return; }
  }
}

function paintLines(theme) {
  window.mfexplore.lines[theme].forEach((colour, k) => document.documentElement.style.setProperty(`--line-${k}`, colour));
}

controls.wire();
wireTabs();
wireButtons();
wireKeys();
paintLines(document.documentElement.dataset.theme);
onTheme(name => { paintLines(name); say("theme", {name}); });
const doc = await connect();
plane.wire(doc.roots().find(root => root.name === "diagram"));
lookAgain();
doc.on_event("connection_lost", waitForServer);
document.documentElement.dataset.connected = "true";
