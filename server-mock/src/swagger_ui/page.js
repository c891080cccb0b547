/** Shows the gateway's own document. Requests that are tried out go to this very origin: the document names no other. */

const { SwaggerUIBundle } = globalThis;

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  // Credentials live as long as the page.
  persistAuthorization: false,
  // Nobody else is asked whether the document is right.
  validatorUrl: null,
  // Parameters may not choose another document.
  queryConfigEnabled: false,
  onComplete: () => {
    document.documentElement.dataset.ready = "true";
  },
});
