// Light or dark: of the page if it is the workbench's own, else as the page around it is.

export function makeDress(root, channel, constants) {
  const host = root.host ?? document.documentElement;

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

  function put(name) {
    theme = name === "dark" ? "dark" : "light";
    paint();
    channel.say("theme", {name: theme});
  }

  function wire() {
    paint();
    root.getElementById("theme").addEventListener("click", () => {
      put(theme === "dark" ? "light" : "dark");
      if (constants.own) document.cookie = `mfexplore-theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    });
  }

  return {wire, put, now: () => theme};
}
