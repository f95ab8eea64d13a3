// What a browser keeps, for tests without one. Import it before what reads it.
class Area {
  #texts = new Map();

  getItem(name) {
    return this.#texts.get(name) ?? null;
  }

  setItem(name, text) {
    this.#texts.set(name, text);
  }

  removeItem(name) {
    this.#texts.delete(name);
  }
}

for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(globalThis, name, { value: new Area(), configurable: true });
