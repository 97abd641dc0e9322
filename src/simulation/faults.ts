/**
 * @module faults: everything that can go wrong in a simulated world, by name.
 *
 * `m` stands for a message in flight, the rest for servers, shares and operations.
 */

/** What each kind of fault does, and the form of its label. */
export const faults = {
  // --- the network
  arrive: 'arrive m: the request arrives now, and its answer is on its way for a while',
  drop: 'drop m: the request, or the answer, is lost without a sound',
  reset: 'reset m: the connection breaks; a request in flight has no effect',
  duplicate: 'duplicate m: the request arrives twice',
  delay: 'delay m: it stays on its way until time passes',
  garble: 'garble m: a byte of the answer changes on its way',
  hide: 'hide m: the server lists its shares and leaves one out',
  invent: 'invent m: the server lists a share that it does not hold',
  partition: 'partition s: nothing gets to the server or back, until heal s',
  mute: 'mute s: requests get to the server and answers do not come back, until heal s',
  cut: 'cut w s: one client and one server do not reach each other, until mend w s',
  // --- the servers
  fail: 'fail m: the server answers with an error: its disk is full',
  tear: 'tear m: the server writes all shares of the request but one; then its disk is full',
  deny: 'deny m: the server does not know the write enabler',
  belie: 'belie m: the server does not write, and shows a newer share that nobody has signed',
  feign: 'feign m: the server does not write, and says that it has',
  crash: 'crash s: the server is gone, and so is everything in flight to and from it',
  restart: 'restart s: it is back',
  rollback: 'rollback s: it is back, and its last write is lost',
  join: 'join s: operations that start from now on know this server too',
  leave: 'leave s: operations that start from now on do not know this server',
  // --- the disks
  rot: 'rot s sh field: a byte of the field changes',
  truncate: 'truncate s sh: the second half of the share is gone',
  delete: 'delete s sh: the share is gone',
  stale: 'stale s sh: the share is what it was before its last change',
  newer: 'newer s sh: a share of a newer version, by a writer that crashed',
  alien: 'alien s sh: a share of a format that nobody knows',
  copy: 'copy s sh s: another server holds the same share too',
  move: 'move s sh s: another server holds the share instead',
  // --- the clients
  kill: 'kill w: its process dies; what it has sent may still arrive',
  cancel: 'cancel w: its caller loses interest',
  // --- time
  jump: 'jump: an hour passes at once',
  // --- the end of all faults
  heal: 'heal: everybody is back, known and within reach, and nothing is held up',
} as const;

/** A kind of fault that the simulator can make happen. */
export type FaultKind = keyof typeof faults;

/** All of them. */
export const faultKinds = Object.keys(faults) as readonly FaultKind[];
