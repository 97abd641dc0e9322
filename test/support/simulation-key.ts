/**
 * @module simulation-key: the key of the simulated files of tests and of `npm run simulate`: with one
 * key a seed is one run, everywhere. It is published here, so it protects nothing.
 */
import { primitives } from '#crypto';
import type { SigningKey } from '../../src/crypto/primitives.ts';

/** PKCS#8 DER of an RSA-2048 key, in base64. */
const published =
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCptMnepWpDzxHc/2znpfCgsJPToulvs1WDU/PG0BQ3' +
  'h4NrY8Ve8WjNFLHUj2XHWoPwz3xFroNGhJPYcVv3vfSeHwTi1+mJue5fP08E1aSNtmF/n2rBdR1i7zVKBT9C3OKxeReX' +
  'jQ+1rGaDWmx8fpboFl3ZrHqOHNQkrXUlVi6N9l/WiMtH96mSbfZ9fF2sfRbmhPmZKiINd72rBA5IxtLTwf0rPRIRMNEv' +
  'CUyxYC7Xh+PCmV3khzaygu4w9IGBS1giQU6ub/tRmvfNcoyEtsRAUdYW57OrNVMz+EliVhbBeK2wUmPCe1DjzKNnF3Tj' +
  'ValUYVa8wG83dSfix9QWwNiNAgMBAAECggEAAh0KbzeP0WSzRsAhlZLx97ZV6PVRmJQFqnCHC9X3N9J8DFV+QEFGZQNv' +
  'IYQK/ZwUIjwbQpeP8qFftqWBbTOUPSHgGDPIffAZrAhS+MRGW9jGcbtFA5VsoRj0iMWe9OYLpq/TijjLVh+zA8ts/XHq' +
  'ztzJx2uyolwb4jxiG0MYVP6UIEJTuQTVzeUkQSXGS4b7pVeM2O1V0/p6M+5M7PqWi1jJL7xhxzEyVHwPzhBJAUGSTGZ8' +
  'No2TqqDtqcbh5lNhXl+WGft8FpM4Ad9UvL/0xzKPHkIdHU66IyuVh/SkbDC8AGRbg9PBjiQEcVgIlhHKlKrvvIvN8rWA' +
  's/iTiq2xmwKBgQDQ2yLsI1jKpgpf9FPwHcs0tkB4qx0ut7villWVN0RuLqnV54jXgZpWBF5PoPPk0YgCNki7KbY57AQL' +
  'ZqyWYZKqwjuqQ0KDUmg5M+EibihF5Zw4/6nIeLmgEvjrScwQ6ROd49MyCsKzfOI9KqXQb7KArNwzYoVjjA1oQNUhAZUn' +
  'swKBgQDQA1vXFqT9iaeobaax10XF22m3uSQvnce30po8BqGlwASXZEBGMgUk9R44drNdP5WwhW4VkfMOK+IRdhnOnrf9' +
  'LLNDAVeU8IRFSfLgXYpNesED+g0HCICUKTAUKfH8zTXmaHurJrl8+G6HebhKWKYKCG+hSwFVbZO9tOOjyknevwKBgQCT' +
  'oWKlEjMwQ3/v5a/zecvqva0C3slo/Xz0pJloOUHItHledyRWWQk0JjBYDwh3RNjj32U3zzs85CTTvkbeoaffxh4Qsyxv' +
  '0S9Ux+Qqxzz2c2AjNizYROXJTb/f6TEy/t3b7G+b3tlTsEHnRJ8in+HIbOfV9p0dCaFsgO9mPk0lWwKBgEi6g+fmMPW8' +
  'pXQMMpZHkEundYUZJH/JiMTKy8ZlAyuywWg1Uwu3/Xh4g4J2biwSSUIYxO6hwvuXeElmo4tMj0Pj1yF8XKTkmzqmqlas' +
  'HekNHGNJkDh/ToV/CSJjsAoVrdzLd0HWHlCFhA+2DSthZ1xmqrEYSnUWBOv1TQo9dip9AoGAFGLSu+SPA83iDwi/zkQ4' +
  'TzNxiBJeNPgFJmIzo6UJZmO45c9Ug2g5CwhyyKLXIz2E75D0e1OL6LXB4bKgBDjl4W3J0mGSiFjWD/80u2bkl8ReaID+' +
  '/RFK3E29YVQjRkwjbkV3us7KLTmWI0BxoFZGibQq0M0XrR83QTnuDb/hch4=';

export const simulationKey: SigningKey = await primitives.importSigningKey(
  Uint8Array.from(atob(published), (character) => character.charCodeAt(0)),
);
