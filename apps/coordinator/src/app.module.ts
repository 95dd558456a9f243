import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AuditController } from './access/audit.controller.js';
import { TokensController } from './access/tokens.controller.js';
import { DataSetsController } from './data-sets/data-sets.controller.js';
import { SamplesController } from './data-sets/samples.controller.js';
import { FaultsController } from './faults/faults.controller.js';
import { InternalController } from './internal/internal.controller.js';
import { HistoriesController } from './jobs/histories.controller.js';
import { ExportsController } from './exports/exports.controller.js';
import { LayersController } from './jobs/layers.controller.js';
import { JobsController } from './jobs/jobs.controller.js';
import { SchemasController } from './system/schemas.controller.js';
import { SweepsController } from './sweeps/sweeps.controller.js';
import { SystemController } from './system/system.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WorkersController } from './workers/workers.controller.js';

/** The controllers, with the parts that `createCoordinator` made. */
@Module({})
export class AppModule {
  static with(providers: Provider[]): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        SystemController,
        SchemasController,
        JobsController,
        HistoriesController,
        LayersController,
        ExportsController,
        DataSetsController,
        SamplesController,
        WorkersController,
        FaultsController,
        InternalController,
        TokensController,
        SweepsController,
        WebhooksController,
        AuditController,
      ],
      providers,
    };
  }
}
