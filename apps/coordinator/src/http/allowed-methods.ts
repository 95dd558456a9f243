import { METHODS } from 'node:http';

/** The part of Express's router that knows its routes. */
export interface RouteSource {
  readonly router: { readonly stack: readonly RouteLayer[] };
}

interface Route {
  readonly path: string;
  readonly methods: Readonly<Record<string, boolean>>;
}

interface RouteLayer {
  readonly route?: Route;
  match(path: string): boolean;
}

/** Methods that some route takes at this path, in upper case and sorted. */
export function allowedMethods({ router }: RouteSource, path: string): string[] {
  const methods = new Set<string>();
  for (const layer of router.stack) {
    if (layer.route === undefined || isCatchAll(layer.route) || !matches(layer, path)) continue;
    for (const [method, isTaken] of Object.entries(layer.route.methods)) {
      if (isTaken) methods.add(method.toUpperCase());
    }
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** Every route as `METHOD path`, sorted. */
export function routesOf({ router }: RouteSource): string[] {
  return router.stack
    .flatMap(({ route }) =>
      route === undefined || isCatchAll(route)
        ? []
        : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
    )
    .sort();
}

/** Nest's own route behind those outside the API's prefix: it answers "not found" to every method. */
function isCatchAll({ methods }: Route): boolean {
  return METHODS.every((method) => methods[method.toLowerCase()] === true);
}

/** Express throws on a path that cannot be decoded. */
function matches(layer: RouteLayer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
