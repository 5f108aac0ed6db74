import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const setMask = libc.func("int pthread_sigmask(int how, const void *set, void *old)");

const SIG_SETMASK = 2;
/** sigset_t; the C library leaves out the two signals that its own threads need. */
const SIGNAL_SET_BYTES = 128;
const ALL = Buffer.alloc(SIGNAL_SET_BYTES, 0xff);

/** Calls `work`, which is synchronous, with no signal delivered to this thread meanwhile; other threads take them. */
export function withSignalsBlocked<T>(work: () => T): T {
  const before = Buffer.alloc(SIGNAL_SET_BYTES);
  setMask(SIG_SETMASK, ALL, before);
  try {
    return work();
  } finally {
    setMask(SIG_SETMASK, before, null);
  }
}
