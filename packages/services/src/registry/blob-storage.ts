/** What is stored under a key; `modifiedMs` is Unix time. */
export type StoredObject = { key: string; size: number; modifiedMs: number };

/** Bytes `start` to `end`, both counted from 0 and included, as in HTTP. */
export type ByteRange = { start: number; end: number };

/**
 * Where the registry keeps bytes: files today, an object store tomorrow. Keys are paths of lower-case letters, digits,
 * dot, dash and slash, made by this package and never from a client's text. `storage-suite.ts` of the control plane is the
 * conformance suite of every implementation.
 */
export type BlobStorage = {
  /**
   * Writes `body` from `offset` on and drops whatever was behind it. A body that fails leaves what was written, whose end
   * `stat` tells, so that an upload goes on there. Never called twice at once for one key. A piece is used until the next
   * one is asked for.
   *
   * @throws gone when less than `offset` bytes are there.
   */
  append(key: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * SHA-256 in hexadecimal of the first `size` bytes. Of what was appended in order it is known at once, once; else the bytes
   * are read for it. @throws gone when they are not there.
   */
  digest(key: string, size: number): Promise<string>;
  /** Gives what was appended its final key, durably and in one step: readers of `to` see nothing or all of it. @throws gone when `from` is not there. */
  promote(from: string, to: string): Promise<void>;
  /** The bytes, or a part of them. @throws not_found before the first byte. What is deleted meanwhile is still read to its end. */
  read(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Hands the bytes to `sink` piece by piece, the next one read while the sink is busy. Memory is used again: a piece may
   * not be kept once the sink's promise has resolved. @throws not_found before the first piece.
   */
  send(key: string, range: ByteRange, sink: (piece: Uint8Array) => Promise<void>): Promise<void>;
  stat(key: string): Promise<StoredObject | undefined>;
  /** Deletes a key; one that is not there is no error. */
  delete(key: string): Promise<void>;
  /** Every key that begins with `prefix/`, in no order. */
  list(prefix: string): AsyncIterable<StoredObject>;
};
