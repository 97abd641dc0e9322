/**
 * @module announcements: servers as a `servers.yaml` or an introducer's cache describes them.
 */

/** The entry of storage-http §3.2. */
export const ID = 'v0-zzcsscb2yc5svoa2ylq47rmjegvzhwey6y7nk3jcscfkhjpwpkbq';
export const TUB_ID = '47hc3gorp32vze3f7kxc7borddbkzhno';
export const SWISSNUM = 'xn6s5s4v4yoknwze5nioz7zvhzbijrja';
export const SEED =
  'pj5gg43tmnrde6ldgvzxm33bgj4wy4jug5zg22tfm53hu2dxmv4tm6jxnzvtg2tdonrwm23injyho4dlmjyq';
export const NURL = `pb://37tiX1u7I0wlTAoJpAQvvQ_628TDVXIyttpm5OjIjDg@127.0.0.1:41000/${SWISSNUM}#v=1`;
export const ANN = {
  nickname: 's00',
  'anonymous-storage-FURL': `pb://${TUB_ID}@tcp:127.0.0.1:41000/${SWISSNUM}`,
  'permutation-seed-base32': SEED,
  'anonymous-storage-NURLs': [NURL],
};
const { 'anonymous-storage-NURLs': _, ...withoutNurls } = ANN;
export const ANN_WITHOUT_NURLS = withoutNurls;
/** The announcement of another server, with a TubID and a key of its own. */
export function annOf(n: number) {
  const nurl = NURL.replace('@', '%').replace(/\/.{43}%/, `/${String(n).padStart(42, 'n')}A@`);
  return { ...folderAnnOf(n), 'anonymous-storage-NURLs': [nurl] };
}
export function folderAnnOf(n: number) {
  const furl = ANN['anonymous-storage-FURL'].replace(TUB_ID, 'abcdefgh'[n]!.repeat(32));
  return { ...ANN_WITHOUT_NURLS, nickname: `s0${n}`, 'anonymous-storage-FURL': furl };
}
export const FOLDER_ANN = { ...ANN_WITHOUT_NURLS, directory: 's00' };

export const NO_NURL =
  'has neither anonymous-storage-NURLs (it speaks only Foolscap) nor directory';
