// Imported for its effect by tests that call what wants its libraries loaded.

import * as all from "../../src/crypto/libraries.ts";

const { loadAll, ...libraries } = all;
await loadAll(Object.values(libraries));
