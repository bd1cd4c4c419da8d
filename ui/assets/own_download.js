/* Runs once, where the download of a scenario is shown; `element` and `server` are Gradio's. The token travels in the
   body of a request, never in an address. */
element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-own-zip]");
  if (!button) return;
  const said = element.querySelector("[data-zip-said]");
  const token = document.querySelector("#own-token textarea, #own-token input")?.value || "";
  const answer = await server.zip(token);
  if (answer.fault) { said.textContent = answer.fault; return; }
  const bytes = Uint8Array.from(atob(answer.data), (c) => c.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
  link.download = answer.name;
  link.click();
  said.textContent = "Saved as " + answer.name;
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
