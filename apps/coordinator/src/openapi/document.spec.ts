import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { API_PREFIX } from '@skipring/protocol';
import { describe, expect, it } from 'vitest';
import { AppModule } from '../app.module.js';
import { openApiDocument } from './document.js';

type Controller = abstract new (...parts: never[]) => object;
const OUTSIDE_PREFIX = /^\/(health\/|metrics$)/;
const INTERNAL = `${API_PREFIX}/internal/`;

/** Method and path of every route that the controllers have, as the document writes them. */
function routesOfControllers(): string[] {
  const controllers = (AppModule.with([]).controllers ?? []) as Controller[];
  return controllers.flatMap((controller) => {
    const base = Reflect.getMetadata('path', controller) as string;
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name] as object;
      const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const path = ['', base, Reflect.getMetadata('path', handler) as string]
        .join('/')
        .replaceAll(/\/+/g, '/')
        .replace(/(?<=.)\/$/, '')
        .replaceAll(/:(\w+)/g, '{$1}');
      const full = OUTSIDE_PREFIX.test(path) ? path : API_PREFIX + path;
      return [`${RequestMethod[method]} ${full}`];
    });
  });
}

/** Every `$ref` in a part of the document. */
function references(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]) =>
    key === '$ref' ? [value as string] : references(value),
  );
}

describe('the OpenAPI document', () => {
  const document = openApiDocument();

  it('has every route of the controllers for users, and no other', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = routesOfControllers();
    expect(served.filter((route) => route.includes(INTERNAL))).toHaveLength(4);
    expect(documented.sort()).toEqual(served.filter((route) => !route.includes(INTERNAL)).sort());
  });

  it('refers to nothing that it does not have', () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(50);
    const known = Object.keys(document.components?.schemas ?? {});
    for (const reference of all) {
      expect(known).toContain(reference.replace('#/components/schemas/', ''));
    }
  });

  it('gives each operation a name of its own, a success and its problems', () => {
    const operations = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods as Record<string, { operationId: string; responses: object }>),
    );
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { responses } of operations) {
      const statuses = Object.keys(responses);
      expect(statuses).toEqual(expect.arrayContaining(['500', '503']));
      expect(statuses.some((status) => status.startsWith('2'))).toBe(true);
    }
  });
});
