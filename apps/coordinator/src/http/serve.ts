import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NotFoundException, RequestMethod, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import type { CoordinatorMetrics } from '@skipring/metrics';
import { API_PREFIX } from '@skipring/protocol';
import type { AuditStore } from '@skipring/redis';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { AccessGuard } from '../access/access.guard.js';
import { auditTrail } from '../access/audit-trail.js';
import { authentication, type Recognise, type Tokens } from '../access/authentication.js';
import { RateLimits } from '../access/rate-limits.js';
import type { ConsoleFile } from '../console/console-files.js';
import { serveConsole } from '../console/serve-console.js';
import { nestLog } from '../observe/log.js';
import { openApiDocument } from '../openapi/document.js';
import { routesOf, type RouteSource } from './allowed-methods.js';
import { jsonBody } from './json-body.js';
import type { HttpRequest, HttpResponse } from './messages.js';
import { observeRequests } from './observe-requests.js';
import { HttpProblem } from './problem.js';
import { LimitedAdapter } from './limited-adapter.js';
import { ProblemFilter } from './problem.filter.js';
import { rawAnswer } from './raw-answer.js';
import { securityHeaders } from './security-headers.js';
import { ValidationPipe } from './validation.pipe.js';

export interface ServeOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tokens: Tokens;
  readonly recognise: Recognise;
  readonly audit: Pick<AuditStore, 'add'>;
  /** Origins whose pages may call the API; none: no cross-origin requests. */
  readonly corsOrigins: readonly string[];
  /** By path; empty where the console was not built. */
  readonly consoleFiles: ReadonlyMap<string, ConsoleFile>;
  readonly metrics: CoordinatorMetrics;
  readonly log: Logger;
}

export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** Every route served, by Express's own list: method and path. */
  readonly routes: readonly string[];
  /** Ends idle connections at once, and those in use at the deadline. */
  close(deadlineMs: number): Promise<void>;
}

const CORS_MAX_AGE_S = 600;
const IDLE_SWEEP_MS = 20;

/** Builds the Nest application around the module's controllers and listens. */
export async function serve(module: DynamicModule, options: ServeOptions): Promise<HttpServer> {
  const { tokens, recognise, audit, metrics, log } = options;
  const app = await NestFactory.create<NestExpressApplication>(module, new LimitedAdapter(), {
    bodyParser: false,
    logger: nestLog(log),
    abortOnError: false,
  });
  app.set('query parser', 'simple');
  app.disable('x-powered-by');
  app.use(observeRequests(metrics, log), helmet(securityHeaders));
  app.use(serveConsole(options.consoleFiles));
  if (options.corsOrigins.length > 0) {
    app.enableCors({
      origin: [...options.corsOrigins],
      // Of an answer's headers a page of another origin sees only those that are named.
      exposedHeaders: ['Retry-After', 'Location', 'ETag'],
      maxAge: CORS_MAX_AGE_S,
    });
  }
  app.use(auditTrail(audit, log), authentication(tokens, recognise, new RateLimits()), jsonBody);
  app.useGlobalGuards(new AccessGuard());
  app.setGlobalPrefix(API_PREFIX, {
    exclude: ['health/live', 'health/ready', 'metrics'].map((path) => ({
      path,
      method: RequestMethod.GET,
    })),
  });
  app.useGlobalPipes(new ValidationPipe());
  const problems = new ProblemFilter(log, () => app.getHttpAdapter().getInstance() as RouteSource);
  app.useGlobalFilters(problems);
  const docs = `${API_PREFIX}/docs`.slice(1);
  SwaggerModule.setup(docs, app, () => openApiDocument(), {
    jsonDocumentUrl: `${API_PREFIX}/openapi.json`.slice(1),
    raw: ['json'],
    customSiteTitle: 'Skipring API',
  });
  const server = app.getHttpServer();
  answerMalformed(server);
  await app.init();
  answerOutsidePrefix(app, problems);
  await app.listen(options.port, options.host);
  const { port } = server.address() as AddressInfo;
  const { router } = app.getHttpAdapter().getInstance() as RouteSource;
  return {
    server,
    port,
    routes: routesOf({ router }),
    close: (deadlineMs) => closeServer(server, deadlineMs),
  };
}

/** Nest's filters see only what is below the API's prefix; Express would answer the rest in HTML. */
function answerOutsidePrefix(app: NestExpressApplication, problems: ProblemFilter): void {
  app.use((request: HttpRequest, response: HttpResponse) => {
    problems.answer(new NotFoundException(), request, response);
  });
  app.use((error: unknown, request: HttpRequest, response: HttpResponse, next: unknown) => {
    // Never called, but Express knows a handler of errors by its four parameters.
    void next;
    problems.answer(error, request, response);
  });
}

/** What Node.js itself refuses is answered as everything else is. */
function answerMalformed(server: Server): void {
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
  server.on('clientError', (_, socket) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const problem = new HttpProblem('REQUEST_MALFORMED', 'this is not an HTTP request');
    socket.end(rawAnswer(problem));
  });
}

async function closeServer(server: Server, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  // Node keeps a connection alive whose answer is complete only now, also while the server closes.
  const sweeper = setInterval(() => {
    server.closeIdleConnections();
  }, IDLE_SWEEP_MS);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, deadlineMs);
  await closed;
  clearInterval(sweeper);
  clearTimeout(timer);
}
