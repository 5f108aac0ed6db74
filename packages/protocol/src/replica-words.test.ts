import { expect, test } from "vitest";
import { readReplicaWords, REPLICA_WORDS, sayReplica } from "./replica-words.ts";

test("every sentence is read as what it says", () => {
  const values = { exitCode: -1, percent: 40, image: "a:5000/web:2", name: "shop_default: x" };
  for (const word of REPLICA_WORDS) {
    const read = readReplicaWords(sayReplica(word, values));
    expect(read?.word).toBe(word);
    expect(values).toMatchObject(read?.values ?? { read: false });
  }
  expect(readReplicaWords(sayReplica("pulling", values))).toEqual({ word: "pulling", values: { image: "a:5000/web:2", percent: 40 } });
});

test.each(["", "it ended with exit code x", "its health check fails\nmore", "No such image: web:2", "waits for"])(
  "%j is nobody's",
  (text) => expect(readReplicaWords(text)).toBeUndefined(),
);
