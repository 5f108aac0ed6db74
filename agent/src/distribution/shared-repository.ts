import type { OpenRepository } from "@flotilla/registry";

/** An opened repository with several users: its connections end with the last of them. */
export class SharedRepository {
  readonly repository: OpenRepository;
  #users = 0;

  constructor(repository: OpenRepository) {
    this.repository = repository;
  }

  /** Uses it until the returned function is called, once. */
  retain(): () => void {
    this.#users++;
    return () => {
      if (--this.#users === 0) this.repository[Symbol.dispose]();
    };
  }
}
