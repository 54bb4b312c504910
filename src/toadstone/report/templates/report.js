document.querySelectorAll("table.sortable").forEach(table => {
  const rows = table.tBodies[0];
  const headers = table.querySelectorAll("thead th");
  const compare = new Intl.Collator("en", {numeric: true}).compare;
  headers.forEach((header, column) => {
    const button = document.createElement("span");
    button.setAttribute("role", "button");
    button.tabIndex = 0;
    button.append(...header.childNodes);
    header.append(button);
    button.onclick = () => {
      const order = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      headers.forEach(other => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", order > 0 ? "ascending" : "descending");
      const text = row => row.cells[column].textContent.replaceAll(",", "");
      rows.append(...[...rows.rows].sort((a, b) => order * compare(text(a), text(b))));
    };
    button.onkeydown = event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    };
  });
});
