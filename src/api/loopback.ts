// The names and addresses of this machine.

/** Whether a host name or an address is this machine's own. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|(::ffff:)?127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host);
