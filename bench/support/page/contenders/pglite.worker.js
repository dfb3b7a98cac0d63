import { PGlite } from "@electric-sql/pglite";
import { worker } from "@electric-sql/pglite/worker";

worker({ init: ({ dataDir }) => PGlite.create({ dataDir, relaxedDurability: false }) });
