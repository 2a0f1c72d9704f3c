// The workbench: wires the parts together and shows what the desk says.

import {makeAround} from "./around.js";
import {makeChannel} from "./channel.js";
import {makeControls, radios} from "./controls.js";
import {makeFigures} from "./figures.js";
import {makeLine} from "./line.js";
import {makePlane} from "./plane.js";
import {makePredict} from "./predict.js";
import {madeAt, takeFiles} from "./restore.js";
import {makeShare} from "./share.js";
import {guardTouch} from "./touch.js";
import {explainTerms} from "./terms.js";

export function render({model, el}) {
  const root = el.getRootNode(), constants = model.constants;
  el.innerHTML = model.sheet;
  const host = root.host ?? document.documentElement;
  const channel = makeChannel(message => line.send(message));
  const line = makeLine(model, constants.line, channel.receive);
  const figures = makeFigures(root, channel);
  const controls = makeControls(root, channel, constants.controls);
  const plane = makePlane(root, channel, controls, constants);

  const $ = id => root.getElementById(id);
  const all = (selector, within = root) => [...within.querySelectorAll(selector)];
  const bench = root.querySelector(".workbench");
  bench.dataset.ui = constants.ui ?? "full";
  const title = name => constants.controls[name]?.title ?? name;

  const MOST_TOASTS = 3;
  function toast(text, kind = "error") {
    for (const one of all(".toast")) if (one.firstChild.textContent === text) one.remove();
    for (const one of all(".toast").slice(0, 1 - MOST_TOASTS)) one.remove();
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
  const share = makeShare(root, constants, toast, () => ({...state, link: link()}));
  const {copy} = share;
  const predict = makePredict(root, channel, figures, controls, constants, toast);
  channel.hear("state", message => {
    state = message;
    if (!channel.busy()) for (const [name, value] of Object.entries(message.values)) controls.show(name, value);
    if ($("seed") && root.activeElement !== $("seed")) $("seed").value = message.seed;
    for (const place of all("[data-control]")) place.hidden = message.absent.control.includes(place.dataset.control);
    controls.lock(message.locked);
    chooseControls(message);
    for (const select of all("[data-view]")) {
      const gone = message.absent[select.dataset.view] ?? [];
      for (const option of select.options) option.hidden = option.disabled = gone.includes(option.value);
      select.value = message.view[select.dataset.view] ?? "";
    }
    for (const chip of all("[data-along]")) {
      const on = chip.dataset.along === message.view.along;
      chip.setAttribute("aria-checked", on);
      chip.tabIndex = on ? 0 : -1;
      chip.textContent = `along ${title(message.view[chip.dataset.along])}`;
    }
    for (const chip of all("[data-preset]")) {
      const on = chip.dataset.preset === message.preset;
      if (message.absent.preset.length) chip.hidden = message.absent.preset.includes(chip.dataset.preset);
      chip.setAttribute("aria-pressed", on);
      if (on) $("watch").textContent = chip.dataset.watch;
    }
    if ($("watch")) $("watch").hidden = !message.preset;
    if ($("answered") && message.query !== answeredAt) $("answered").hidden = true; // it is of another place
    plane.turn(message.view);
    if ($("zoom-all")) $("zoom-all").hidden = !message.zoomed;
    $("undo").disabled = !message.undo;
    $("redo").disabled = !message.redo;
    for (const [name, text] of Object.entries(message.snippets)) if ($(name)) $(name).textContent = text;
    rememberAddress();
  });

  // At first sight there are a few controls; the others are one click away, and say if they are not as usual.
  function chooseControls({absent, values}) {
    const there = constants.main.filter(name => !absent.control.includes(name));
    const first = there.length > constants.few + 1 ? there.slice(0, constants.few) : there;
    const more = there.filter(name => !first.includes(name));
    for (const place of all("[data-control]")) place.toggleAttribute("data-more", more.includes(place.dataset.control));
    const changed = more.filter(name => values[name] !== constants.controls[name].usual).length;
    const open = $("controls").dataset.all === "true";
    $("all").hidden = !more.length;
    $("all").textContent = open ? "Fewer controls" : `All ${there.length} controls${changed ? ` (${changed} changed)` : ""}`;
    $("all").setAttribute("aria-expanded", open);
  }

  function openControls(on) {
    $("controls").dataset.all = on;
    if (state) chooseControls(state);
    remember("controls", on ? "all" : "few", "few");
  }

  // A link says everything: the exploration after "?", and after "#" how one looks at it (pane, speed).
  const look = new URLSearchParams(location.hash.slice(1));
  const page = () => `${location.origin}${location.pathname}${constants.link ? `?${constants.link.slice(0, -1)}` : ""}`;
  const link = () => `${location.pathname}${state ? `?${constants.link}${state.query}` : location.search}${look.size ? `#${look}` : ""}`;

  // Back and forward lead through the explorations of the page: a gesture is one step, and so is what follows it soon.
  const STEP_MS = 1000;
  let address = null, written = null, stepped = 0, arriving = false;
  function rememberAddress() { // browsers allow only so many changes of the address a second
    clearTimeout(address);
    if (constants.own) address = setTimeout(writeAddress, 250);
  }

  function writeAddress() {
    $("whole-page").href = share.whole();
    const moved = state !== null && written !== null && state.query !== written && !arriving;
    if (state) written = state.query;
    arriving = false;
    if (link() === location.pathname + location.search + location.hash) return;
    if (moved && performance.now() - stepped > STEP_MS) {
      stepped = performance.now();
      history.pushState(null, "", link());
    } else history.replaceState(null, "", link());
  }

  function goWhereTheAddressLeads() {
    const query = location.search.slice(1);
    arriving = true;
    channel.say("go", {query: query.startsWith(constants.link) ? query.slice(constants.link.length) : query});
  }

  function remember(name, value, usual) {
    if (String(value) === String(usual)) look.delete(name); else look.set(name, value);
    rememberAddress();
  }

  function lookAgain() { // as the link says; what it says wrongly is as if it said nothing
    const pane = $(`tab-${look.get("pane")}`), speed = Number(look.get("speed"));
    if (pane) pane.click(); else look.delete("pane");
    openControls(look.get("controls") === "all");
    if (look.has("speed") && Number.isFinite(speed) && $("speed")) {
      $("speed").value = speed;
      $("speed").dispatchEvent(new Event("input"));
    }
  }

  channel.hear("sentence", ({headline, text, validity, verdict}) => {
    // What is written again is read out again.
    const texts = {headline: `${headline}.`, said: text, validity};
    for (const [id, words] of Object.entries(texts)) if ($(id).textContent !== words) $(id).textContent = words;
    mirror("headline", headline);
    $("validity").dataset.verdict = verdict;
  });

  function mirror(name, words) { // what the bar of a narrow page repeats
    for (const place of all(`[data-mirror="${name}"]`)) place.textContent = words;
  }

  channel.hear("outside", ({text}) => {
    const place = $("outside");
    if (!place) return;
    place.hidden = !text;
    place.firstElementChild.textContent = text;
  });

  let asking = -1;
  channel.hear("asking", ({index, hidden}) => {
    asking = index;
    bench.dataset.veil = hidden.join(" ");
    $("asking").hidden = !hidden.length;
    $("sentence").hidden = hidden.includes("theory");
    if (!hidden.length) return;
    const both = hidden.join(" and ");
    $("skip").textContent = `Show ${both}`;
    $("guessing").hidden = index < 0;
    if (index >= 0) $("asked").innerHTML = root.querySelector(`[data-task="${index}"] p`).innerHTML;
    else $("asked").textContent = `Predict first: ${both} ${hidden.length > 1 ? "are" : "is"} hidden.`;
    $("answered").hidden = true;
    $("guess").value = "";
  });

  channel.hear("progress", ({what, fraction, text}) => {
    if (what === "queue" || what === "file") {
      const making = what === "file" && fraction !== null;
      $("queue").textContent = making ? `${text} ${Math.round(100 * fraction)} %` : text;
      $("give-up").hidden = !making;
      return;
    }
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

  channel.hear("simulating", ({panel, label, tip, on, text}) => { // if somebody asks for it
    const button = root.querySelector(`[data-simulate="${panel}"]`);
    Object.assign(button, {hidden: !label, textContent: label, title: tip});
    button.setAttribute("aria-pressed", on);
    root.querySelector(`[data-simulating="${panel}"]`).textContent = text;
  });

  channel.hear("offered", ({panel, shown}) => { // by the system, but perhaps not at these controls
    const place = root.querySelector(`[data-panel="${panel}"]`);
    if (place) place.hidden = !shown;
  });

  channel.hear("notice", ({text, kind}) => toast(text, kind));

  channel.hear("check", ({index, computed, value, agrees, mark: told}) => {
    const row = root.querySelector(`[data-check="${index}"]`);
    row.querySelector(".value").textContent = computed;
    row.querySelector(".value").title = `reference: ${value}`;
    const mark = row.querySelector(".mark");
    mark.textContent = told;
    mark.classList.toggle("bad", !agrees);
  });

  channel.hear("table", ({columns, rows}) => {
    const head = document.createElement("tr");
    head.append(...["quantity", ...columns].map(text => cell("th", text, "col")));
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

  let playing = false;
  channel.hear("run", message => {
    playing = message.playing;
    const [sign, word] = playing && !message.finished ? ["❚❚", "Pause"] : ["▶", "Play"];
    const button = $("play");
    button.textContent = sign;
    button.setAttribute("aria-label", word);
    for (const one of [button, ...all("[data-press=play]")]) one.setAttribute("aria-pressed", playing);
    for (const one of all("[data-press=play]")) {
      one.firstElementChild.textContent = sign;
      one.querySelector("[data-word]").textContent = word;
    }
    const time = Number(message.time.toPrecision(4));
    $("clock").textContent = `${time.toLocaleString("en")} ${message.unit}${message.finished ? ", finished" : ""}`;
    $("reading").textContent = message.reading;
    mirror("reading", message.reading);
  });

  channel.hear("picture", ({shape, caption}) => {
    $("caption").textContent = caption;
    root.querySelector("[data-figure=state]").dataset.shape = shape;
  });

  channel.hear("pins", ({titles, queries}) => {
    $("pins-card").hidden = !titles.length;
    $("pins").replaceChildren(...titles.map((text, index) => {
      const item = document.createElement("li");
      const go = pinButton("visit", text, () => channel.say("visit", {index}), text);
      const name = pinButton("rename", text, () => {
        const box = document.createElement("input");
        Object.assign(box, {className: "name", value: text, maxLength: 60});
        box.setAttribute("aria-label", constants.pins.rename.tip);
        go.replaceWith(box);
        box.select();
        const tell = () => channel.say("rename", {index, name: box.value});
        box.onblur = tell;
        box.onkeydown = event => {
          if (event.key === "Escape") box.value = text;
          if (event.key === "Enter" || event.key === "Escape") box.blur();
        };
      });
      const tools = document.createElement("span");
      if (constants.serves) tools.append(pinButton("compare", text, () => compare(queries[index])));
      tools.append(name, pinButton("remove", text, () => channel.say("unpin", {index})));
      item.append(go, tools);
      return item;
    }));
  });

  function compare(pinned) { // side by side, this view and the pinned one
    const words = new URLSearchParams({system: constants.key, left: pinned, right: state.query});
    location.href = `compare?${words}`;
  }

  function pinButton(name, pin, tell, label = constants.pins[name].label) {
    const made = document.createElement("button");
    Object.assign(made, {type: "button", className: "link", textContent: label, title: constants.pins[name].tip, onclick: tell});
    made.setAttribute("aria-label", `${constants.pins[name].label}: ${pin}`);
    made.dataset.pin = name;
    return made;
  }

  let answeredAt = null;
  channel.hear("answer", ({index, right, text, lesson}) => {
    if (index < 0) return; // of a sketch
    answeredAt = state?.query;
    for (const place of [root.querySelector(`[data-task="${index}"] .answer`), $("answered")]) {
      place.hidden = place === $("answered") && index !== asking;
      place.classList.toggle("right", right);
      place.textContent = `${text} ${lesson}`;
    }
  });

  channel.hear("download", ({name, media_type: type, content}, buffers) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers.get(content)], {type}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });

  channel.hear("waiting", ({text}) => {
    $("waiting").hidden = !text;
    $("waiting").lastElementChild.textContent = text;
  });

  // -- what a person does

  // What is wider than the page is scrolled with the keyboard, too.
  function reachEquations() {
    for (const one of all(".equation")) {
      if (one.scrollWidth > one.clientWidth) one.tabIndex = 0; else one.removeAttribute("tabindex");
    }
  }

  function wireTabs() {
    const tabs = all("[role=tab]");
    const choose = tab => {
      for (const one of tabs) {
        const on = one === tab;
        one.setAttribute("aria-selected", on);
        one.tabIndex = on ? 0 : -1;
        $(one.getAttribute("aria-controls")).hidden = !on;
      }
      reachEquations();
      channel.say("pane", {name: tab.textContent});
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

  // A file that was made here leads back; one of another system to that system's page, where that is ours.
  async function openFile(file) {
    const made = await madeAt(file);
    $("export").open = false;
    if (!made) toast(`${file.name} does not say where it was made. Files that were exported here do.`);
    else if (made.system === constants.key) channel.say("go", {query: made.query});
    else if (constants.own && /^\w+$/.test(made.system)) location.assign(`${made.system}?${made.query}`);
    else toast(`${file.name} was made on the page of another system, ${made.system}.`, "info");
  }

  function wireButtons() {
    const on = (id, tell) => $(id)?.addEventListener("click", tell);
    on("undo", () => channel.say("undo"));
    on("redo", () => channel.say("redo"));
    on("reset", () => channel.say("reset"));
    on("pin", () => channel.say("pin"));
    on("cancel", () => channel.say("cancel"));
    on("play", () => channel.say("play", {on: !playing}));
    on("step", () => channel.say("step"));
    on("restart", () => channel.say("restart"));
    on("help", () => $("keys").showModal());
    on("whole", () => channel.say("whole"));
    on("give-up", () => channel.say("giveup"));
    on("skip", () => channel.say("skip"));
    on("all", () => openControls($("controls").dataset.all !== "true"));
    for (const button of all("[data-press]")) button.addEventListener("click", () => $(button.dataset.press).click());
    $("speed")?.addEventListener("input", ({target}) => {
      target.style.setProperty("--filled", `${100 * (target.value - target.min) / (target.max - target.min)}%`);
      target.setAttribute("aria-valuetext", paceInWords(Number(target.value)));
      channel.sayLatest("speed", {value: 10 ** Number(target.value)});
      remember("speed", target.value, 0);
    });
    for (const select of all("[data-choices] select")) {
      const name = select.closest("[data-choices]").dataset.chooses;
      select.addEventListener("change", () => channel.say("view", {name, value: select.value}));
    }
    $("seed")?.addEventListener("change", event => channel.say("seed", {value: event.target.value}));
    $("seed")?.addEventListener("keydown", event => { if (event.key === "Enter") event.target.blur(); });
    for (const select of all("[data-view]")) {
      select.addEventListener("change", () => channel.say("view", {name: select.dataset.view, value: select.value}));
    }
    radios(all("[data-along]"), chip => channel.say("view", {name: "along", value: chip.dataset.along}));
    for (const chip of all("[data-preset]")) {
      chip.addEventListener("click", () => channel.say("preset", {name: chip.dataset.preset}));
    }
    for (const button of all("[data-export]")) {
      button.addEventListener("click", () => { $("export").open = false; channel.say("export", {what: button.dataset.export, page: page()}); });
    }
    for (const link of all("[data-reference]")) {
      link.addEventListener("click", () => { channel.say("reference", {index: Number(link.dataset.reference)}); $("tab-Explore").click(); });
    }
    for (const button of all("[data-simulate]")) {
      const on = () => button.getAttribute("aria-pressed") !== "true";
      button.addEventListener("click", () => channel.say("simulate", {panel: button.dataset.simulate, on: on()}));
    }
    for (const button of all("[data-copy]")) {
      button.addEventListener("click", () => copy($(button.dataset.copy).textContent, "Copied."));
    }
    for (const task of all("[data-task]")) {
      const index = Number(task.dataset.task), guess = task.querySelector("input");
      task.querySelector("[data-task-start]").addEventListener("click", () => { channel.say("task", {index}); $("tab-Explore").click(); });
      const answer = () => reveal(index, guess);
      task.querySelector("[data-task-reveal]").addEventListener("click", answer);
      guess.addEventListener("keydown", event => { if (event.key === "Enter") answer(); });
    }
    on("reveal", () => reveal(asking, $("guess")));
    $("guess")?.addEventListener("keydown", event => { if (event.key === "Enter") reveal(asking, event.target); });
    root.addEventListener("click", event => {
      for (const menu of all("details.menu")) if (!menu.contains(event.target)) menu.open = false;
    });
  }

  function reveal(index, guess) {
    const value = Number(guess.value.replace(",", "."));
    if (guess.value.trim() === "" || !Number.isFinite(value)) toast("Predict first: a number, please.", "info");
    else channel.say("reveal", {index, guess: value});
  }

  function paceInWords(power) {
    const steps = Number((10 ** power).toPrecision(2));
    return `${steps} ${steps === 1 ? "step" : "steps"} per frame`;
  }

  // On a narrow page the controls are a sheet from below, and what they change stands above it.
  function wireSheet() {
    let stage = root.querySelector("[data-stage]")?.dataset.stage;
    const open = on => {
      $("controls").dataset.open = on;
      $("grip").setAttribute("aria-expanded", on);
      if (constants.ui === "bare") openControls(on);
    };
    const look = name => {
      stage = name;
      for (const chip of all("[data-stage]")) chip.setAttribute("aria-pressed", chip.dataset.stage === name);
      if (name === "diagram") $("tab-Explore").click();
      root.querySelector(`[data-figure="${name}"]`)?.scrollIntoView({block: "start"});
    };
    for (const chip of all("[data-stage]")) chip.addEventListener("click", () => look(chip.dataset.stage));
    $("grip").addEventListener("click", () => {
      const on = $("grip").getAttribute("aria-expanded") !== "true";
      open(on);
      if (on && stage) look(stage);
    });
    open(false);
  }

  function wireKeys() {
    const single = $("single-keys");
    single.checked = !/(?:^|; )mfexplore-keys=off/.test(document.cookie);
    single.addEventListener("change", () => {
      document.cookie = `mfexplore-keys=${single.checked ? "on" : "off"}; path=/; max-age=31536000; samesite=lax`;
    });
    // The whole page is the workbench's, or only what has the focus in somebody else's.
    const where = constants.own ? document : root;
    const pressed = event => {
      const [target] = event.composedPath();
      const typing = target.closest?.("input:not([type=range]), select, textarea, dialog");
      if ((event.ctrlKey || event.metaKey) && !typing) {
        const key = event.key.toLowerCase();
        if (key !== "z" && key !== "y") return;
        event.preventDefault();
        if (key === "y" || event.shiftKey) channel.say("redo"); else channel.say("undo");
        return;
      }
      if (event.key === "Escape") for (const menu of all("details.menu")) menu.open = false;
      if (typing || event.altKey || event.metaKey || !single.checked) return;
      if (event.key === " " && !target.closest?.("button, summary")) { event.preventDefault(); $("play")?.click(); }
      if (event.key === "?") $("keys").showModal();
      const click = {s: "step", r: "restart", p: "pin"}[event.key.toLowerCase()];
      if (click) $(click)?.click();
    };
    where.addEventListener("keydown", pressed);
    return () => where.removeEventListener("keydown", pressed);
  }

  // -- light or dark: of the page if it is the workbench's own, else as the page around it is

  function isDark() {
    const [, saved] = /(?:^|; )mfexplore-theme=(light|dark)/.exec(document.cookie) ?? [];
    if (constants.theme) return constants.theme === "dark";
    if (constants.own) return saved ? saved === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const said = document.documentElement.dataset.theme ?? document.body.dataset.jpThemeLight;
    if (said) return said === "dark" || said === "false";
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
    return getComputedStyle(document.body).backgroundColor !== "rgba(0, 0, 0, 0)" && r + g + b < 384;
  }

  let theme = isDark() ? "dark" : "light";

  function paint() {
    host.dataset.theme = theme;
    if (constants.own) document.documentElement.dataset.theme = theme;
    constants.lines[theme].forEach((colour, k) => host.style.setProperty(`--line-${k}`, colour));
  }

  function setTheme(name) {
    theme = name === "dark" ? "dark" : "light";
    paint();
    channel.say("theme", {name: theme});
  }

  $("theme").addEventListener("click", () => {
    setTheme(theme === "dark" ? "light" : "dark");
    if (constants.own) document.cookie = `mfexplore-theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  });
  const around = makeAround(channel, controls, constants, setTheme);

  const markConnected = on => { for (const one of [host, document.documentElement]) one.dataset.connected = on; };

  // -- a page whose server went away opens again as it was: its address says everything that is on the screen

  async function waitForServer() {
    if (!constants.own) { $("lost").hidden = false; return; }
    history.replaceState(null, "", link());
    markConnected(false);
    $("lost").hidden = false;
    for (;;) {
      await new Promise(done => setTimeout(done, 1000));
      const answer = await fetch(location.href, {cache: "no-store"}).catch(() => null);
      if (answer?.ok) { location.reload(); return; }
    }
  }

  controls.wire();
  plane.wire();
  wireTabs();
  wireButtons();
  share.wire();
  predict.wire();
  wireSheet();
  takeFiles(root, $("file"), openFile);
  const forgetKeys = wireKeys();
  if (constants.own) window.addEventListener("popstate", goWhereTheAddressLeads);
  paint();
  figures.then("diagram", plane.take);
  if ($("plane")) guardTouch($("plane"), plane.isMarkerAt);
  explainTerms(el);
  Bokeh.documents.find(one => one.session_id || one.roots().length)?.on_event?.("connection_lost", waitForServer);
  const appear = () => channel.say("visible", {on: document.visibilityState === "visible"});
  document.addEventListener("visibilitychange", appear);
  channel.say("hello", {theme});
  lookAgain();
  markConnected(true);
  model.on("remove", () => {
    document.removeEventListener("visibilitychange", appear);
    window.removeEventListener("popstate", goWhereTheAddressLeads);
    forgetKeys();
    around.remove();
    figures.remove();
    line.close();
  });
}
