import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { hasRole, type Role } from '@skipring/protocol';
import type { HttpRequest } from '../http/messages.js';
import { HttpProblem } from '../http/problem.js';

/** Who may use a route: holders of a role, workers (with the join token), or everyone. */
export type Audience = Role | 'worker' | 'everyone';

/** On a controller, or on a route of it. */
export const Access = Reflector.createDecorator<Audience>();

/** Lets a request through whose sender is of the route's audience; a route without one is an admin's. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    const audience =
      this.reflector.getAllAndOverride(Access, [context.getHandler(), context.getClass()]) ??
      'admin';
    // Workers have shown the join token already: it is asked for by the path.
    if (audience === 'everyone' || audience === 'worker') return true;
    const { principal } = context.switchToHttp().getRequest<HttpRequest>();
    if (principal !== undefined && hasRole(principal.role, audience)) return true;
    throw new HttpProblem(
      'FORBIDDEN',
      `this needs the role ${audience}; the token has the role ${principal?.role ?? 'of nobody'}`,
    );
  }
}
