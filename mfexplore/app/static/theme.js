// Light or dark: remembered in a cookie, so that the server draws figures in the right colours from the start.

export function onTheme(tell) {
  document.getElementById("theme").addEventListener("click", () => {
    const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = name;
    document.cookie = `mfexplore-theme=${name}; path=/; max-age=31536000; samesite=lax`;
    tell(name);
  });
}

if (!window.mfexplore) onTheme(() => {});
