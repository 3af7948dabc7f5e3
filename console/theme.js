// Before anything is drawn: the theme a person chose here earlier; else the system's.
const chosen = localStorage.getItem("anteroom.theme");
if (chosen) document.documentElement.dataset.theme = chosen;
