/**
 * @module folder-fault: what is wrong with a server folder, before the server says whose it is.
 *
 * The server turns it into its own `ServerUnavailableError`, as it does with an errno.
 */
export class FolderFault extends Error {}
