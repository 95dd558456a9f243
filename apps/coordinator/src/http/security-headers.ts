import type { HelmetOptions } from 'helmet';

/**
 * Of every answer. Pages load nothing from elsewhere and are shown in no frame; a page that needs more
 * says so in its own answer.
 */
export const securityHeaders: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      // Swagger's page has styles in its elements.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // Whoever ends TLS in front of the coordinator says this.
  strictTransportSecurity: false,
};
