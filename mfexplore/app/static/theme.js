// Light or dark, on the pages beside the workbench: remembered in a cookie that the workbench reads too.

document.getElementById("theme").addEventListener("click", () => {
  const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = name;
  document.cookie = `mfexplore-theme=${name}; path=/; max-age=31536000; samesite=lax`;
});
