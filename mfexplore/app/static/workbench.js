// The workbench: wires the parts together and shows what the desk says.

import {makeAddress} from "./address.js";
import {makeAround} from "./around.js";
import {makeAsked} from "./asked.js";
import {makeChannel} from "./channel.js";
import {makeControls, radios} from "./controls.js";
import {makeDress} from "./dressed.js";
import {makeFigures} from "./figures.js";
import {makeKeys} from "./keys.js";
import {makeLine} from "./line.js";
import {makePins} from "./pins.js";
import {makePlane} from "./plane.js";
import {makePredict} from "./predict.js";
import {madeAt, sweepIn, takeFiles} from "./restore.js";
import {makeShare} from "./share.js";
import {guardTouch} from "./touch.js";
import {explainTerms} from "./terms.js";
import {makeToasts} from "./toasts.js";
import {hearPanels} from "./told.js";

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
  const toast = makeToasts(root);

  // -- what the session says

  let state = null;
  const address = makeAddress(channel, constants, () => state, () => { $("whole-page").href = share.whole(); });
  const share = makeShare(root, constants, toast, () => ({...state, link: address.link()}));
  const dress = makeDress(root, channel, constants);
  hearPanels(root, channel);
  const asked = makeAsked(root, channel, controls, toast);
  makePins(root, channel, constants, () => state);
  const predict = makePredict(root, channel, figures, plane, controls, constants, toast);
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
    address.rememberSoon();
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
    address.remember("controls", on ? "all" : "few", "few");
  }

  function lookAgain() { // as the link says; what it says wrongly is as if it said nothing
    const {look} = address;
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

  channel.hear("notice", ({text, kind}) => toast(text, kind));

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
      address.remember("pane", tab.textContent, tabs[0].textContent);
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

  // A file that was made here leads back; one of another system to that system's page, where that is ours. A sweep is
  // laid over the diagram.
  async function openFile(file) {
    const made = await madeAt(file), table = made ? "" : await sweepIn(file);
    $("export").open = false;
    if (table) channel.say("lay", {name: file.name, table});
    else if (!made) toast(`${file.name} does not say where it was made. Files that were exported here do, and a sweep is a .csv file of at most 4 MB.`);
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
      address.remember("speed", target.value, 0);
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
      button.addEventListener("click", () => { $("export").open = false; channel.say("export", {what: button.dataset.export, page: address.page()}); });
    }
    for (const link of all("[data-reference]")) {
      link.addEventListener("click", () => { channel.say("reference", {index: Number(link.dataset.reference)}); $("tab-Explore").click(); });
    }
    for (const button of all("[data-copy]")) {
      button.addEventListener("click", () => share.copy($(button.dataset.copy).textContent, "Copied."));
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
    else channel.say("reveal", {index, guess: value, who: predict.who()});
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

  const around = makeAround(channel, controls, constants, dress.put);

  const markConnected = on => { for (const one of [host, document.documentElement]) one.dataset.connected = on; };

  // -- a page whose server went away opens again as it was: its address says everything that is on the screen

  async function waitForServer() {
    if (!constants.own) { $("lost").hidden = false; return; }
    history.replaceState(null, "", address.link());
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
  asked.wire();
  share.wire();
  predict.wire();
  wireSheet();
  takeFiles(root, $("file"), openFile);
  const forgetKeys = makeKeys(root, channel, constants.own)();
  address.wire();
  dress.wire();
  figures.then("diagram", plane.take);
  if ($("plane")) guardTouch($("plane"), (x, y) => plane.isMarkerAt(x, y) || predict.isOn("diagram"));
  explainTerms(el);
  Bokeh.documents.find(one => one.session_id || one.roots().length)?.on_event?.("connection_lost", waitForServer);
  const appear = () => channel.say("visible", {on: document.visibilityState === "visible"});
  document.addEventListener("visibilitychange", appear);
  channel.say("hello", {theme: dress.now()});
  lookAgain();
  markConnected(true);
  model.on("remove", () => {
    document.removeEventListener("visibilitychange", appear);
    address.remove();
    forgetKeys();
    around.remove();
    figures.remove();
    line.close();
  });
}
