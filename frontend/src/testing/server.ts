/** The fake API of component tests. Each test adds the handlers it needs. */

import { setupServer } from 'msw/node';

export const server = setupServer();
