import { expect } from 'vitest';
import { z } from 'zod';

interface Content {
  readonly schema: object;
}
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, Content> }>>;
}
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Holds answers of the API against what its own document says of them. */
export class ApiContract {
  /** Operation and status of every answer that was checked. */
  readonly seen = new Set<string>();

  constructor(private readonly document: ApiDocument) {}

  /** Every success that the document promises, as `operation status`. */
  get successes(): string[] {
    return Object.values(this.document.paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ operationId, responses }) =>
        Object.keys(responses)
          .filter((status) => status.startsWith('2'))
          .map((status) => `${operationId} ${status}`),
      ),
    );
  }

  /** Fails unless the answer has a documented status, media type and, where JSON, shape. */
  async check(method: string, path: string, response: Response): Promise<void> {
    const operation = this.operation(method, path);
    const { status } = response;
    const text = await response.text();
    const answer = operation.responses[status];
    expect(answer, `${operation.operationId} answers ${status}: ${text}`).toBeDefined();
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    if (answer?.content === undefined) {
      expect(text, `${operation.operationId} answers ${status}`).toBe('');
      this.seen.add(`${operation.operationId} ${status}`);
      return;
    }
    const content = answer.content[type];
    expect(content, `${operation.operationId} answers ${status} with ${type}`).toBeDefined();
    if (type.endsWith('json')) this.validator(content!.schema).parse(JSON.parse(text));
    this.seen.add(`${operation.operationId} ${status}`);
  }

  private operation(method: string, path: string): Operation {
    const [bare = ''] = path.split('?');
    const pattern = Object.keys(this.document.paths).find((candidate) => matches(candidate, bare));
    const operation = this.document.paths[pattern ?? '']?.[method.toLowerCase()];
    if (operation === undefined) throw new Error(`${method} ${path} is not in the document`);
    return operation;
  }

  /** A schema of the document with all it refers to, read as JSON Schema. */
  private validator(schema: object): z.ZodType {
    const defined = { ...schema, $defs: this.document.components.schemas };
    const local = JSON.stringify(defined).replaceAll('#/components/schemas/', '#/$defs/');
    return z.fromJSONSchema(JSON.parse(local) as Parameters<typeof z.fromJSONSchema>[0]);
  }
}

function matches(pattern: string, path: string): boolean {
  const parts = path.split('/');
  const expected = pattern.split('/');
  return (
    parts.length === expected.length &&
    expected.every((part, index) => part.startsWith('{') || part === parts[index])
  );
}
