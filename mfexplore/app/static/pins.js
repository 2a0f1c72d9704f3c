// What is pinned to compare with: names that lead there and can be changed, the way to see both, and the way out.

export function makePins(root, channel, constants, stateNow) {
  const $ = id => root.getElementById(id);

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
    const words = new URLSearchParams({system: constants.key, left: pinned, right: stateNow().query});
    location.href = `compare?${words}`;
  }

  function pinButton(name, pin, tell, label = constants.pins[name].label) {
    const made = document.createElement("button");
    Object.assign(made, {type: "button", className: "link", textContent: label, title: constants.pins[name].tip, onclick: tell});
    made.setAttribute("aria-label", `${constants.pins[name].label}: ${pin}`);
    made.dataset.pin = name;
    return made;
  }
}
