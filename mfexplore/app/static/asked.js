// What simulations are asked for: dots all over a plane (of a sweep, too), a run that is carried, a long average, a
// control that sweeps.

export function makeAsked(root, channel, controls, toast) {
  const $ = id => root.getElementById(id);
  const all = selector => [...root.querySelectorAll(selector)];
  let sweeping = "", along = null;

  channel.hear("simulating", ({panel, label, tip, on, text}) => { // if somebody asks for it
    const button = root.querySelector(`[data-simulate="${panel}"]`);
    Object.assign(button, {hidden: !label, textContent: label, title: tip});
    button.setAttribute("aria-pressed", on);
    root.querySelector(`[data-simulating="${panel}"]`).textContent = text;
  });

  channel.hear("sweeping", ({name, value}) => {
    if (name) controls.show(name, value);
    if (name === sweeping) return;
    sweeping = name;
    $("sweep-run").textContent = name ? "Stop" : "Sweep";
    $("sweep-run").setAttribute("aria-pressed", Boolean(name));
    if (name) $("sweep-name").value = name;
  });

  channel.hear("state", ({view, absent, locked}) => { // what is swept is what the curve is along, if it can be
    const menu = $("sweep-name");
    if (!menu) return;
    for (const option of menu.options) {
      option.hidden = option.disabled = absent.control.includes(option.value) || locked.includes(option.value);
    }
    const there = [...menu.options].filter(option => !option.disabled).map(option => option.value);
    menu.closest(".sweeping").hidden = !there.length;
    if (view[view.along] !== along && there.includes(view[view.along])) menu.value = view[view.along];
    else if (!there.includes(menu.value) && there.length) [menu.value] = there;
    along = view[view.along];
  });

  function average(on) {
    const value = Number($("average-value").value.replace(",", "."));
    if (on && !(value > 0)) toast("Until how many samples, or which error? A number, please.", "info");
    else channel.say("average", on ? {on, by: $("average-by").value, value} : {on});
  }

  const asks = {average, sweep: () => channel.say("lay")};

  function wire() {
    for (const button of all("[data-simulate]")) {
      const {simulate: panel} = button.dataset, ask = asks[panel] ?? (on => channel.say("simulate", {panel, on}));
      button.addEventListener("click", () => ask(button.getAttribute("aria-pressed") !== "true"));
    }
    $("average-by")?.addEventListener("change", ({target}) => { $("average-value").value = target.value === "error" ? "0.005" : "64"; });
    $("average-value")?.addEventListener("keydown", ({key}) => { if (key === "Enter") average(true); });
    $("sweep-run")?.addEventListener("click", () => channel.say("sweep", {name: sweeping ? "" : $("sweep-name").value}));
    $("sweep-name")?.addEventListener("change", ({target}) => { if (sweeping) channel.say("sweep", {name: target.value}); });
  }

  return {wire};
}
